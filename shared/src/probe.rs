//! Whether a connection still works: asked when a second one of the same peer comes, and by hosts that were not allowed to
//! run for a while.
//!
//! The question is a stream for a protocol that nobody has. Every libp2p program answers that with a no, and any answer
//! will do. libp2p's ping asks at its own times only.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{
        Endpoint,
        transport::PortUse,
        upgrade::{DeniedUpgrade, ReadyUpgrade},
    },
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{ConnectionEvent, DialUpgradeError},
    },
};

use crate::heard::{Ear, Heard};

/// What is asked for.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/tincan/awake/1.0.0");
/// How long a connection that works may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    pub(crate) is_answered: bool,
}

/// Asks.
#[derive(Debug)]
pub(crate) struct Behaviour {
    heard: Heard,
    actions: VecDeque<ToSwarm<Event, Question>>,
    waker: Option<Waker>,
}

/// Ask now.
#[derive(Debug, Clone, Copy)]
pub struct Question;

impl Behaviour {
    pub(crate) fn new(heard: Heard) -> Self {
        Self { heard, actions: VecDeque::new(), waker: None }
    }

    /// Asks on one connection; an event follows unless the connection ends.
    pub(crate) fn ask(&mut self, peer_id: PeerId, connection: ConnectionId) {
        let handler = NotifyHandler::One(connection);
        self.actions.push_back(ToSwarm::NotifyHandler { peer_id, handler, event: Question });
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(PROBE_TIMEOUT, self.heard.ear(peer, remote)))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(PROBE_TIMEOUT, self.heard.ear(peer, remote)))
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, outcome: THandlerOutEvent<Self>) {
        let is_answered = outcome != Outcome::Silent;
        self.actions.push_back(ToSwarm::GenerateEvent(Event { peer, connection, is_answered }));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        if let Some(action) = self.actions.pop_front() {
            return Poll::Ready(action);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The answer.
    Answered,
    /// No answer in time, but something else on this connection: the answer may wait behind it.
    Heard,
    /// Nothing at all.
    Silent,
}

/// Asks on one connection, one question at a time, and tells what came of it in time.
#[derive(Debug)]
pub struct Handler {
    state: State,
    timeout: Duration,
    ear: Ear,
}

impl Handler {
    /// `timeout`: how long a connection that works may take to answer.
    #[must_use]
    pub fn new(timeout: Duration, ear: Ear) -> Self {
        Self { state: State::default(), timeout, ear }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    ToAsk,
    Asked,
    Over(Outcome),
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Question;
    type ToBehaviour = Outcome;
    type InboundProtocol = DeniedUpgrade;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade, ()> {
        SubstreamProtocol::new(DeniedUpgrade, ())
    }

    fn on_behaviour_event(&mut self, _: Question) {
        if self.state == State::Idle {
            self.state = State::ToAsk;
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, DeniedUpgrade, ReadyUpgrade<StreamProtocol>>) {
        self.state = match event {
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => State::Over(match error {
                StreamUpgradeError::Timeout if self.ear.silence() < self.timeout => Outcome::Heard,
                StreamUpgradeError::Timeout | StreamUpgradeError::Io(_) => Outcome::Silent,
                _ => Outcome::Answered,
            }),
            ConnectionEvent::FullyNegotiatedOutbound(_) => State::Over(Outcome::Answered),
            _ => return,
        };
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, (), Outcome>> {
        match self.state {
            State::ToAsk => {
                self.state = State::Asked;
                let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(self.timeout);
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
            State::Over(outcome) => {
                self.state = State::Idle;
                Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(outcome))
            }
            State::Idle | State::Asked => Poll::Pending,
        }
    }
}
