//! A peer connection as a stream muxer.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use js_sys::Reflect;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use n0_future::time::sleep;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, RtcDataChannelEvent, RtcIceConnectionState, RtcPeerConnection, RtcPeerConnectionState};

use super::{callbacks::Callbacks, channel};
use crate::{Account, Acknowledging, Budget, Feed, Opened, Stream};

/// Streams of the other side that nobody has taken yet; further ones are closed.
const MAX_WAITING: usize = 256;
/// The same until the other side has proved who it is: it may be through with that before we are.
const MAX_EARLY_STREAMS: usize = 16;
/// For how long a connection may be what browsers call disconnected, which it is after some seconds without an answer.
const DISCONNECTED_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection as a stream muxer. Ends when it is dropped.
#[derive(Debug)]
pub struct Connection(SendWrapper<Rc<Shared>>);

#[derive(Debug)]
struct Shared {
    peer: RtcPeerConnection,
    account: Account,
    acknowledging: Acknowledging,
    state: RefCell<State>,
    /// Freed after `peer` has let go of them.
    callbacks: RefCell<Callbacks>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Stream>,
    /// Of all streams whose channels are open: a connection that breaks does not say so on each.
    feeds: Vec<Feed>,
    /// How often the peer connection's state has changed.
    changes: u64,
    /// The other side has answered a STUN request of ours.
    answered: bool,
    /// The other side has proved who it is.
    authenticated: bool,
    /// Why there is no more.
    ended: Option<&'static str>,
    inbound: Option<Waker>,
    other: Option<Waker>,
    /// Who waits for the answer.
    answer: Option<Waker>,
}

impl Connection {
    /// Takes over a peer connection, before it has a remote description: no channel may come earlier.
    pub(super) fn new(peer: RtcPeerConnection, budget: &Budget) -> Self {
        let shared = Rc::new(Shared {
            peer,
            account: budget.open(),
            acknowledging: Acknowledging::default(),
            state: RefCell::default(),
            callbacks: RefCell::default(),
        });
        let call = |act: fn(&Rc<Shared>)| {
            let shared = Rc::downgrade(&shared);
            move |_: Event| shared.upgrade().iter().for_each(act)
        };
        let came = {
            let shared: Weak<Shared> = Rc::downgrade(&shared);
            move |event: RtcDataChannelEvent| shared.upgrade().iter().for_each(|shared| shared.came(&event))
        };
        let mut callbacks = shared.callbacks.borrow_mut();
        shared.peer.set_ondatachannel(Some(&callbacks.add(came)));
        shared.peer.set_onconnectionstatechange(Some(&callbacks.add(call(Shared::changed))));
        shared.peer.set_oniceconnectionstatechange(Some(&callbacks.add(call(Shared::ice_changed))));
        drop(callbacks);
        Self(SendWrapper::new(shared))
    }

    pub(super) fn peer(&self) -> &RtcPeerConnection {
        &self.0.peer
    }

    /// Notices when the other side closes, which the peer connection's own state tells only once nobody has answered
    /// for long. To be called when both descriptions stand: what carries the channels is not there before.
    pub(super) fn watch(&self) {
        let shared = Rc::downgrade(&self.0);
        let changed = move |_: Event| {
            let Some(shared) = shared.upgrade() else { return };
            let state = shared.carrier().and_then(|carrier| Reflect::get(&carrier, &"state".into()).ok());
            if state.is_some_and(|state| state == "closed") {
                shared.end("the other side closed the connection");
            }
        };
        let changed = self.0.callbacks.borrow_mut().add(changed);
        self.0.on_carrier_change(&changed);
    }

    /// The peer reads FIN_ACK.
    pub(super) fn acknowledges(&self) {
        self.0.acknowledging.learn();
    }

    /// The other side has proved who it is, and may use more.
    pub(super) fn set_authenticated(&self) {
        self.0.account.set_authenticated();
        self.0.state.borrow_mut().authenticated = true;
    }

    /// A stream over a channel that was made here.
    pub(super) fn stream(&self, channel: web_sys::RtcDataChannel) -> Stream {
        self.0.stream(channel, Opened::Here)
    }

    /// Ready when the other side has answered a STUN request of ours.
    pub(super) fn poll_answered(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.state.borrow_mut();
        if state.answered {
            return Poll::Ready(());
        }
        state.answer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready when the connection is over, with why.
    pub(super) fn poll_end(&self, cx: &Context<'_>) -> Poll<&'static str> {
        let mut state = self.0.state.borrow_mut();
        if let Some(why) = state.ended {
            return Poll::Ready(why);
        }
        state.other = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Shared {
    fn stream(&self, channel: web_sys::RtcDataChannel, opened: Opened) -> Stream {
        let (stream, feed) = channel::stream(channel, opened, &self.account, self.acknowledging.clone());
        let feeds = &mut self.state.borrow_mut().feeds;
        feeds.retain(Feed::is_open);
        feeds.push(feed);
        stream
    }

    fn came(self: &Rc<Self>, event: &RtcDataChannelEvent) {
        let channel = event.channel();
        let most = if self.state.borrow().authenticated { MAX_WAITING } else { MAX_EARLY_STREAMS };
        if self.state.borrow().waiting.len() >= most {
            tracing::debug!("more streams come than are taken; one is closed");
            return channel.close();
        }
        let stream = self.stream(channel, Opened::There);
        let mut state = self.state.borrow_mut();
        state.waiting.push_back(stream);
        let waker = state.inbound.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn changed(self: &Rc<Self>) {
        self.state.borrow_mut().changes += 1;
        match self.peer.connection_state() {
            RtcPeerConnectionState::Failed => self.end("the connection broke"),
            RtcPeerConnectionState::Closed => self.end("the connection was closed"),
            RtcPeerConnectionState::Disconnected => self.suspect(),
            _ => {}
        }
    }

    fn ice_changed(self: &Rc<Self>) {
        use RtcIceConnectionState::{Completed, Connected};
        if matches!(self.peer.ice_connection_state(), Connected | Completed) {
            let mut state = self.state.borrow_mut();
            state.answered = true;
            let waker = state.answer.take();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// The other side has not answered for a while: browsers themselves give up late.
    fn suspect(self: &Rc<Self>) {
        let (shared, changes) = (Rc::downgrade(self), self.state.borrow().changes);
        spawn_local(async move {
            sleep(DISCONNECTED_TIMEOUT).await;
            let Some(shared) = shared.upgrade() else { return };
            let unchanged = shared.state.borrow().changes == changes;
            if unchanged {
                shared.end("the other side no longer answers");
            }
        });
    }

    /// What carries the channels, an `RTCSctpTransport`.
    fn carrier(&self) -> Option<JsValue> {
        Reflect::get(&self.peer, &"sctp".into()).ok().filter(JsValue::is_object)
    }

    fn on_carrier_change(&self, call: &JsValue) {
        if let Some(carrier) = self.carrier() {
            // Fails for no object that a browser hands out.
            let _ = Reflect::set(&carrier, &"onstatechange".into(), call);
        }
    }

    fn end(&self, why: &'static str) {
        let mut state = self.state.borrow_mut();
        if state.ended.is_some() {
            return;
        }
        state.ended = Some(why);
        self.on_carrier_change(&JsValue::NULL);
        self.peer.set_ondatachannel(None);
        self.peer.set_onconnectionstatechange(None);
        self.peer.set_oniceconnectionstatechange(None);
        let (feeds, wakers) =
            (std::mem::take(&mut state.feeds), [state.inbound.take(), state.other.take(), state.answer.take()]);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        feeds.iter().for_each(Feed::closed);
        drop(waiting);
        self.peer.close();
        *self.callbacks.borrow_mut() = Callbacks::default();
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.end("the connection was dropped here");
    }
}

impl StreamMuxer for Connection {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let mut state = self.0.state.borrow_mut();
        if let Some(stream) = state.waiting.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        if let Some(why) = state.ended {
            return Poll::Ready(Err(over(why)));
        }
        state.inbound = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        if let Some(why) = self.0.state.borrow().ended {
            return Poll::Ready(Err(over(why)));
        }
        // The label is the spec's: none.
        Poll::Ready(Ok(self.0.stream(self.0.peer.create_data_channel(""), Opened::Here)))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.end("the connection was closed here");
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.poll_end(cx).map(|why| Err(over(why)))
    }
}

fn over(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}
