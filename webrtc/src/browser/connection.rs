//! An `RTCPeerConnection` as a stream muxer.

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
use crate::{Budget, ChannelEvents, ConnectionBudget, FinAckSupport, Opener, Stream};

/// The channel that a dialer opens so that there is something to connect; both sides ignore it (the spec names it so).
pub(super) const INIT: &str = "init";
/// Streams that the other side has opened and nobody has taken yet; further ones are closed.
const MAX_INBOUND_STREAMS: usize = 256;
/// The same until the other side is authenticated: it may finish the handshake before we do.
const MAX_EARLY_STREAMS: usize = 16;
/// How long a connection may be in the state `disconnected`, which browsers set after some seconds without an answer.
const DISCONNECTED_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection as a stream muxer. It is closed on drop.
#[derive(Debug)]
pub struct Connection(SendWrapper<Rc<Shared>>);

#[derive(Debug)]
struct Shared {
    peer: RtcPeerConnection,
    memory: ConnectionBudget,
    fin_ack: FinAckSupport,
    state: RefCell<State>,
    /// Freed after they are unset on `peer`.
    callbacks: RefCell<Callbacks>,
}

#[derive(Debug, Default)]
struct State {
    inbound_streams: VecDeque<Stream>,
    /// Of all open channels: when a connection fails, the browser does not report it on each of them.
    channels: Vec<ChannelEvents>,
    /// How often the state of the `RTCPeerConnection` has changed.
    changes: u64,
    /// The other side has answered a STUN request of ours.
    answered: bool,
    /// The other side has proven who it is.
    authenticated: bool,
    /// Why the connection is over, if it is.
    ended: Option<&'static str>,
    inbound_waker: Option<Waker>,
    end_waker: Option<Waker>,
    /// Woken by the answer.
    answer_waker: Option<Waker>,
    /// Woken when the connection stands.
    connected_waker: Option<Waker>,
    /// Whether one channel that is only there to begin with may come.
    may_init: bool,
}

impl Connection {
    /// Wraps an `RTCPeerConnection` that has no remote description yet, so that no channel of the other side is missed.
    pub(super) fn new(peer: RtcPeerConnection, budget: &Budget) -> Self {
        let shared = Rc::new(Shared {
            peer,
            memory: budget.connection(),
            fin_ack: FinAckSupport::default(),
            state: RefCell::default(),
            callbacks: RefCell::default(),
        });
        let call = |act: fn(&Rc<Shared>)| {
            let shared = Rc::downgrade(&shared);
            move |_: Event| shared.upgrade().iter().for_each(act)
        };
        let handle_channel = {
            let shared: Weak<Shared> = Rc::downgrade(&shared);
            move |event: RtcDataChannelEvent| shared.upgrade().iter().for_each(|shared| shared.handle_channel(&event))
        };
        let mut callbacks = shared.callbacks.borrow_mut();
        shared.peer.set_ondatachannel(Some(&callbacks.add(handle_channel)));
        shared.peer.set_onconnectionstatechange(Some(&callbacks.add(call(Shared::handle_state_change))));
        shared.peer.set_oniceconnectionstatechange(Some(&callbacks.add(call(Shared::handle_ice_state_change))));
        drop(callbacks);
        Self(SendWrapper::new(shared))
    }

    /// The other side may open one channel that both sides ignore.
    pub(super) fn ignore_init(&self) {
        self.0.state.borrow_mut().may_init = true;
    }

    pub(super) fn peer(&self) -> &RtcPeerConnection {
        &self.0.peer
    }

    /// Watches for the other side closing the connection, by the state of the `RTCSctpTransport`: the connection's own state
    /// changes only after a long time without answers. To be called once both descriptions are set, as the transport does not
    /// exist before.
    pub(super) fn watch(&self) {
        let shared = Rc::downgrade(&self.0);
        let handle_state_change = move |_: Event| {
            let Some(shared) = shared.upgrade() else { return };
            let state =
                shared.sctp_transport().and_then(|sctp_transport| Reflect::get(&sctp_transport, &"state".into()).ok());
            if state.is_some_and(|state| state == "closed") {
                shared.end("the other side closed the connection");
            }
        };
        let handle_state_change = self.0.callbacks.borrow_mut().add(handle_state_change);
        self.0.on_sctp_state_change(&handle_state_change);
    }

    /// The peer supports FIN_ACK.
    pub(super) fn set_supports_fin_ack(&self) {
        self.0.fin_ack.confirm();
    }

    /// Lifts the tighter bounds that hold until the other side is authenticated.
    pub(super) fn set_authenticated(&self) {
        self.0.memory.set_authenticated();
        self.0.state.borrow_mut().authenticated = true;
    }

    /// A stream over a channel that we opened.
    pub(super) fn stream(&self, channel: web_sys::RtcDataChannel) -> Stream {
        self.0.stream(channel, Opener::Local)
    }

    /// Ready once the other side has answered a STUN request of ours.
    pub(super) fn poll_answered(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.state.borrow_mut();
        if state.answered {
            return Poll::Ready(());
        }
        state.answer_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready once ICE and DTLS stand.
    pub(super) fn poll_connected(&self, cx: &Context<'_>) -> Poll<()> {
        if self.0.peer.connection_state() == RtcPeerConnectionState::Connected {
            return Poll::Ready(());
        }
        self.0.state.borrow_mut().connected_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready once the connection is over, with the reason.
    pub(super) fn poll_end(&self, cx: &Context<'_>) -> Poll<&'static str> {
        let mut state = self.0.state.borrow_mut();
        if let Some(why) = state.ended {
            return Poll::Ready(why);
        }
        state.end_waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Shared {
    fn stream(&self, channel: web_sys::RtcDataChannel, opener: Opener) -> Stream {
        let (stream, events) = channel::stream(channel, opener, &self.memory, self.fin_ack.clone());
        let channels = &mut self.state.borrow_mut().channels;
        channels.retain(ChannelEvents::is_open);
        channels.push(events);
        stream
    }

    fn handle_channel(self: &Rc<Self>, event: &RtcDataChannelEvent) {
        let channel = event.channel();
        if channel.label() == INIT && std::mem::take(&mut self.state.borrow_mut().may_init) {
            // Its opener closes it.
            return;
        }
        let most = if self.state.borrow().authenticated { MAX_INBOUND_STREAMS } else { MAX_EARLY_STREAMS };
        if self.state.borrow().inbound_streams.len() >= most {
            tracing::debug!("more streams come than are taken; one is closed");
            return channel.close();
        }
        let stream = self.stream(channel, Opener::Remote);
        let mut state = self.state.borrow_mut();
        state.inbound_streams.push_back(stream);
        let waker = state.inbound_waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn handle_state_change(self: &Rc<Self>) {
        self.state.borrow_mut().changes += 1;
        match self.peer.connection_state() {
            RtcPeerConnectionState::Failed => self.end("the connection broke"),
            RtcPeerConnectionState::Closed => self.end("the connection was closed"),
            RtcPeerConnectionState::Disconnected => self.end_unless_reconnected(),
            RtcPeerConnectionState::Connected => {
                let waker = self.state.borrow_mut().connected_waker.take();
                waker.into_iter().for_each(Waker::wake);
            }
            _ => {}
        }
    }

    fn handle_ice_state_change(self: &Rc<Self>) {
        use RtcIceConnectionState::{Completed, Connected};
        if matches!(self.peer.ice_connection_state(), Connected | Completed) {
            let mut state = self.state.borrow_mut();
            state.answered = true;
            let waker = state.answer_waker.take();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Ends the connection unless its state changes soon. The other side has not answered for a while, and browsers give up
    /// very late.
    fn end_unless_reconnected(self: &Rc<Self>) {
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

    /// The `RTCSctpTransport`, if there is one yet.
    fn sctp_transport(&self) -> Option<JsValue> {
        Reflect::get(&self.peer, &"sctp".into()).ok().filter(JsValue::is_object)
    }

    fn on_sctp_state_change(&self, call: &JsValue) {
        if let Some(sctp_transport) = self.sctp_transport() {
            // This cannot fail on an object of the browser.
            let _ = Reflect::set(&sctp_transport, &"onstatechange".into(), call);
        }
    }

    fn end(&self, why: &'static str) {
        let mut state = self.state.borrow_mut();
        if state.ended.is_some() {
            return;
        }
        state.ended = Some(why);
        self.on_sctp_state_change(&JsValue::NULL);
        self.peer.set_ondatachannel(None);
        self.peer.set_onconnectionstatechange(None);
        self.peer.set_oniceconnectionstatechange(None);
        let (channels, wakers) = (
            std::mem::take(&mut state.channels),
            [
                state.inbound_waker.take(),
                state.end_waker.take(),
                state.answer_waker.take(),
                state.connected_waker.take(),
            ],
        );
        let inbound_streams = std::mem::take(&mut state.inbound_streams);
        drop(state);
        channels.iter().for_each(ChannelEvents::on_closed);
        drop(inbound_streams);
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
        if let Some(stream) = state.inbound_streams.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        if let Some(why) = state.ended {
            return Poll::Ready(Err(aborted(why)));
        }
        state.inbound_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        if let Some(why) = self.0.state.borrow().ended {
            return Poll::Ready(Err(aborted(why)));
        }
        // The spec wants an empty label.
        Poll::Ready(Ok(self.0.stream(self.0.peer.create_data_channel(""), Opener::Local)))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.end("the connection was closed here");
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.poll_end(cx).map(|why| Err(aborted(why)))
    }
}

fn aborted(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}
