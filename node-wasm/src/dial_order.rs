//! The order in which a hub's addresses are dialled, as libp2p dials all addresses of a peer at once.
//!
//! The first one goes ahead: a WebSocket, if the hub has one (see `hubs`), since it takes fewer round trips than WebRTC and
//! costs the page less. The others wait until it has failed, or had no answer for too long. Browsers report nothing of a
//! WebSocket before it is open, so "too long" follows from how long the page's own origin takes to answer a request.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::FutureExt as _;
use libp2p::core::transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent};
use n0_future::time::timeout;
use tincan_shared::{Multiaddr, PeerId};
use tokio::sync::watch;

use crate::{
    dialable::{self, Surroundings},
    origin, websocket,
};

/// How long the first dial may be without an answer, beyond what its round trips take.
const HEAD_START: Duration = Duration::from_millis(250);
/// Round trips until a WebSocket is open: TCP, TLS and the request.
const ROUND_TRIPS: u32 = 3;
/// Assumed round trip to a host that was not measured; longer than most.
const FAR: Duration = Duration::from_millis(250);
/// The longest time that the others wait for an answer.
const MAX_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the others wait for a dial that was answered to be authenticated.
const ANSWERED_WAIT: Duration = Duration::from_secs(5);

/// The dials in progress to peers whose id is known, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct PendingDials(watch::Sender<Vec<PendingDial>>);

#[derive(Debug)]
struct PendingDial {
    number: u64,
    peer: PeerId,
    ws: bool,
    address: Multiaddr,
    answered: bool,
}

/// Removes a dial from the list on drop.
#[derive(Debug)]
struct DialGuard {
    pending: PendingDials,
    number: u64,
    peer: PeerId,
    ws: bool,
}

impl PendingDials {
    fn begin(&self, peer: PeerId, address: Multiaddr) -> DialGuard {
        let (mut number, ws) = (0, websocket::Address::of(&address).is_some());
        self.0.send_modify(|pending| {
            number = pending.last().map_or(0, |last| last.number + 1);
            pending.push(PendingDial { number, peer, ws, address, answered: false });
        });
        DialGuard { pending: self.clone(), number, peer, ws }
    }

    /// The peer at this address has answered.
    pub(crate) fn answered(&self, address: &Multiaddr) {
        let mark = |pending: &mut Vec<PendingDial>| {
            let mut found = pending.iter_mut().filter(|dial| dial.address == *address).peekable();
            let any = found.peek().is_some();
            found.for_each(|dial| dial.answered = true);
            any
        };
        self.0.send_if_modified(mark);
    }
}

impl DialGuard {
    /// The dials that it has to wait for. A WebSocket does not wait for WebRTC, which an earlier dial may have got to.
    fn earlier<'a>(&self, pending: &'a [PendingDial]) -> impl Iterator<Item = &'a PendingDial> + use<'a> {
        let (number, peer, ws) = (self.number, self.peer, self.ws);
        pending.iter().filter(move |dial| dial.number < number && dial.peer == peer && (dial.ws || !ws))
    }

    /// Waits as long as an earlier dial of the same peer may still succeed.
    async fn wait_turn(&self) {
        let mut pending = self.pending.0.subscribe();
        let answer_timeout = answer_timeout(self.earlier(&pending.borrow()).map(|dial| &dial.address));
        let answered_or_over = |pending: &Vec<PendingDial>| {
            self.earlier(pending).any(|dial| dial.answered) || self.earlier(pending).next().is_none()
        };
        if timeout(answer_timeout, pending.wait_for(answered_or_over)).await.is_ok() {
            // After either, it is our turn.
            let _ = timeout(ANSWERED_WAIT, pending.wait_for(|pending| self.earlier(pending).next().is_none())).await;
        }
    }
}

impl Drop for DialGuard {
    fn drop(&mut self) {
        self.pending.0.send_modify(|pending| pending.retain(|dial| dial.number != self.number));
    }
}

/// How long dials of these addresses may be without an answer.
fn answer_timeout<'a>(mut addresses: impl Iterator<Item = &'a Multiaddr>) -> Duration {
    let hostname = Surroundings::here().hostname;
    let is_own = addresses.all(|address| websocket::Address::of(address).is_some_and(|ws| ws.host == hostname));
    let round_trip = match origin::answer_time() {
        Some(time) if is_own => time,
        Some(time) => time.max(FAR),
        None => FAR,
    };
    (HEAD_START + round_trip * ROUND_TRIPS).min(MAX_ANSWER_TIMEOUT)
}

/// A transport whose dials to one peer wait for each other.
pub(crate) struct OrderedDials<T> {
    inner: T,
    pending: PendingDials,
}

impl<T> OrderedDials<T> {
    /// Answers have to be reported to `pending`.
    pub(crate) fn new(inner: T, pending: PendingDials) -> Self {
        Self { inner, pending }
    }
}

impl<T: Transport + Unpin> Transport for OrderedDials<T>
where
    T::Dial: Send + 'static,
{
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = Pin<Box<dyn Future<Output = Result<T::Output, T::Error>> + Send>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<T::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<T::Error>> {
        let dial = self.inner.dial(address.clone(), options)?;
        let Some(peer) = dialable::peer(&address) else { return Ok(dial.boxed()) };
        let guard = self.pending.begin(peer, address);
        Ok(async move {
            guard.wait_turn().await;
            let dialled = dial.await;
            drop(guard);
            dialled
        }
        .boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use n0_future::time::Instant;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// Longer than [`answer_timeout`] of a host that was not measured.
    const LONG: Duration = Duration::from_millis(1500);

    fn addresses() -> (PeerId, Multiaddr, Multiaddr) {
        let address = |text: &str| text.parse().expect("an address");
        (PeerId::random(), address("/ip4/192.0.2.1/tcp/1/ws"), address("/ip4/192.0.2.1/udp/1/webrtc-direct"))
    }

    #[wasm_bindgen_test]
    async fn the_first_and_those_to_other_peers_do_not_wait() {
        let (peer, ws, direct) = addresses();
        let pending = PendingDials::default();
        let first = pending.begin(peer, ws);
        let other = pending.begin(PeerId::random(), direct);
        assert!(first.wait_turn().now_or_never().is_some() && other.wait_turn().now_or_never().is_some());
    }

    #[wasm_bindgen_test]
    async fn a_websocket_does_not_wait_for_webrtc_of_an_earlier_dial() {
        let (peer, ws, direct) = addresses();
        let pending = PendingDials::default();
        let earlier = pending.begin(peer, direct.clone());
        let (again, last) = (pending.begin(peer, ws), pending.begin(peer, direct));
        assert!(again.wait_turn().now_or_never().is_some());
        drop(again);
        assert!(last.wait_turn().now_or_never().is_none());
        drop(earlier);
    }

    #[wasm_bindgen_test]
    async fn one_that_fails_gives_way_at_once() {
        let (peer, ws, direct) = addresses();
        let pending = PendingDials::default();
        let (first, second) = (pending.begin(peer, ws), pending.begin(peer, direct));
        let mut wait_turn = pin!(second.wait_turn());
        assert!(wait_turn.as_mut().now_or_never().is_none());
        drop(first);
        assert!(wait_turn.now_or_never().is_some());
    }

    #[wasm_bindgen_test]
    async fn one_that_was_answered_is_waited_for() {
        let (peer, ws, direct) = addresses();
        let pending = PendingDials::default();
        let (first, second) = (pending.begin(peer, ws.clone()), pending.begin(peer, direct));
        pending.answered(&ws);
        let mut wait_turn = pin!(second.wait_turn());
        assert!(timeout(LONG, wait_turn.as_mut()).await.is_err());
        drop(first);
        assert!(wait_turn.now_or_never().is_some());
    }

    #[wasm_bindgen_test]
    async fn one_that_is_silent_is_not_waited_for() {
        let (peer, ws, direct) = addresses();
        let pending = PendingDials::default();
        let (first, second) = (pending.begin(peer, ws), pending.begin(peer, direct));
        let began = Instant::now();
        second.wait_turn().await;
        assert!((HEAD_START..MAX_ANSWER_TIMEOUT * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
        drop(first);
    }
}
