//! Which of a hub's addresses are dialled when. libp2p dials all that it has of a peer at once.
//!
//! The first goes ahead: a WebSocket, where the hub has one (see `hubs`), as it is open in fewer steps than WebRTC and
//! costs the page less. The others wait until it has failed or has been without an answer for too long. Browsers tell
//! nothing of a WebSocket before it is open, so "too long" is measured: by how long the page's own origin takes to
//! answer a request.

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
    origin,
    transport::{self, Surroundings},
    websocket,
};

/// How long the way that goes first may be without an answer beyond what its round trips take.
const HEAD_START: Duration = Duration::from_millis(250);
/// Round trips until a WebSocket is open: TCP, TLS and the request.
const ROUND_TRIPS: u32 = 3;
/// A round trip to a host that was not measured: further than most.
const FAR: Duration = Duration::from_millis(250);
/// The longest that the others wait for an answer.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
/// How long a way that was answered keeps the others waiting until it is authenticated.
const ANSWERED_WAIT: Duration = Duration::from_secs(5);

/// The dials under way to peers that are known by id, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways(watch::Sender<Vec<Way>>);

#[derive(Debug)]
struct Way {
    number: u64,
    peer: PeerId,
    ws: bool,
    address: Multiaddr,
    answered: bool,
}

/// One of them; over when it is dropped.
#[derive(Debug)]
struct UnderWay {
    ways: Ways,
    number: u64,
    peer: PeerId,
    ws: bool,
}

impl Ways {
    fn begin(&self, peer: PeerId, address: Multiaddr) -> UnderWay {
        let (mut number, ws) = (0, websocket::Address::of(&address).is_some());
        self.0.send_modify(|ways| {
            number = ways.last().map_or(0, |last| last.number + 1);
            ways.push(Way { number, peer, ws, address, answered: false });
        });
        UnderWay { ways: self.clone(), number, peer, ws }
    }

    /// The other side of the dial to this address has answered.
    pub(crate) fn answered(&self, address: &Multiaddr) {
        let dials = |ways: &mut Vec<Way>| {
            let mut found = ways.iter_mut().filter(|way| way.address == *address).peekable();
            let any = found.peek().is_some();
            found.for_each(|way| way.answered = true);
            any
        };
        self.0.send_if_modified(dials);
    }
}

impl UnderWay {
    /// Those that go before it. A WebSocket waits for no WebRTC, which an earlier dial may have come to.
    fn earlier<'a>(&self, ways: &'a [Way]) -> impl Iterator<Item = &'a Way> + use<'a> {
        let (number, peer, ws) = (self.number, self.peer, self.ws);
        ways.iter().filter(move |way| way.number < number && way.peer == peer && (way.ws || !ws))
    }

    /// Waits while a way to the same peer that began earlier may still lead there.
    async fn turn(&self) {
        let mut ways = self.ways.0.subscribe();
        let silence = silence(self.earlier(&ways.borrow()).map(|way| &way.address));
        let answered_or_over =
            |ways: &Vec<Way>| self.earlier(ways).any(|way| way.answered) || self.earlier(ways).next().is_none();
        if timeout(silence, ways.wait_for(answered_or_over)).await.is_ok() {
            // Whatever comes first, it is our turn.
            let _ = timeout(ANSWERED_WAIT, ways.wait_for(|ways| self.earlier(ways).next().is_none())).await;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.ways.0.send_modify(|ways| ways.retain(|way| way.number != self.number));
    }
}

/// How long dials of these addresses may be without an answer.
fn silence<'a>(mut addresses: impl Iterator<Item = &'a Multiaddr>) -> Duration {
    let hostname = Surroundings::here().hostname;
    let is_own = addresses.all(|address| websocket::Address::of(address).is_some_and(|ws| ws.host == hostname));
    let round_trip = match origin::answer_time() {
        Some(time) if is_own => time,
        Some(time) => time.max(FAR),
        None => FAR,
    };
    (HEAD_START + round_trip * ROUND_TRIPS).min(LONGEST_SILENCE)
}

/// A transport whose dials to one peer wait for each other.
pub(crate) struct InTurn<T> {
    inner: T,
    ways: Ways,
}

impl<T> InTurn<T> {
    /// What answers is to be told to `ways`.
    pub(crate) fn new(inner: T, ways: Ways) -> Self {
        Self { inner, ways }
    }
}

impl<T: Transport + Unpin> Transport for InTurn<T>
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
        let Some(peer) = transport::peer(&address) else { return Ok(dial.boxed()) };
        let way = self.ways.begin(peer, address);
        Ok(async move {
            way.turn().await;
            let dialled = dial.await;
            drop(way);
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

    /// Longer than [`silence`] of a host that was not measured.
    const LONG: Duration = Duration::from_millis(1500);

    fn addresses() -> (PeerId, Multiaddr, Multiaddr) {
        let address = |text: &str| text.parse().expect("an address");
        (PeerId::random(), address("/ip4/192.0.2.1/tcp/1/ws"), address("/ip4/192.0.2.1/udp/1/webrtc-direct"))
    }

    #[wasm_bindgen_test]
    async fn the_first_and_those_to_other_peers_do_not_wait() {
        let (peer, ws, direct) = addresses();
        let ways = Ways::default();
        let first = ways.begin(peer, ws);
        let other = ways.begin(PeerId::random(), direct);
        assert!(first.turn().now_or_never().is_some() && other.turn().now_or_never().is_some());
    }

    #[wasm_bindgen_test]
    async fn a_websocket_does_not_wait_for_webrtc_of_an_earlier_dial() {
        let (peer, ws, direct) = addresses();
        let ways = Ways::default();
        let earlier = ways.begin(peer, direct.clone());
        let (again, last) = (ways.begin(peer, ws), ways.begin(peer, direct));
        assert!(again.turn().now_or_never().is_some());
        drop(again);
        assert!(last.turn().now_or_never().is_none());
        drop(earlier);
    }

    #[wasm_bindgen_test]
    async fn one_that_fails_gives_way_at_once() {
        let (peer, ws, direct) = addresses();
        let ways = Ways::default();
        let (first, second) = (ways.begin(peer, ws), ways.begin(peer, direct));
        let mut turn = pin!(second.turn());
        assert!(turn.as_mut().now_or_never().is_none());
        drop(first);
        assert!(turn.now_or_never().is_some());
    }

    #[wasm_bindgen_test]
    async fn one_that_was_answered_is_waited_for() {
        let (peer, ws, direct) = addresses();
        let ways = Ways::default();
        let (first, second) = (ways.begin(peer, ws.clone()), ways.begin(peer, direct));
        ways.answered(&ws);
        let mut turn = pin!(second.turn());
        assert!(timeout(LONG, turn.as_mut()).await.is_err());
        drop(first);
        assert!(turn.now_or_never().is_some());
    }

    #[wasm_bindgen_test]
    async fn one_that_is_silent_is_not_waited_for() {
        let (peer, ws, direct) = addresses();
        let ways = Ways::default();
        let (first, second) = (ways.begin(peer, ws), ways.begin(peer, direct));
        let began = Instant::now();
        second.turn().await;
        assert!((HEAD_START..LONGEST_SILENCE * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
        drop(first);
    }
}
