//! What is known of the peer at the other end, as events tell it.

use libp2p::{PeerId, gossipsub, identify, kad, ping, swarm::SwarmEvent};

use crate::{behaviour::BehaviourEvent, protocol::TRIAL};

/// Of one connection.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connected: Option<PeerId>,
    pub(crate) refused: Option<String>,
    pub(crate) lost: Option<String>,
    pub(crate) subscribed: bool,
    /// Its protocol version.
    pub(crate) identified: Option<String>,
    pub(crate) pinged: Option<Result<(), String>>,
    pub(crate) record: Option<Result<Vec<u8>, String>>,
    /// The line that is waited for, and whether it has come.
    pub(crate) awaited: Option<Vec<u8>>,
    pub(crate) answered: bool,
}

impl Seen {
    pub(crate) fn note(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, .. } => self.connected = Some(peer_id),
            SwarmEvent::ConnectionClosed { cause, num_established: 0, .. } => {
                self.lost = Some(cause.map_or_else(|| "closed".to_owned(), |error| whole(&error)));
            }
            SwarmEvent::OutgoingConnectionError { error, .. } => self.refused = Some(whole(&error)),
            SwarmEvent::Behaviour(event) => self.hear(event),
            _ => {}
        }
    }

    fn hear(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { info, .. }) => {
                self.identified = Some(info.protocol_version);
            }
            BehaviourEvent::Identify(identify::Event::Error { error, .. }) => {
                tracing::info!(%error, "identify failed");
            }
            BehaviourEvent::Ping(ping::Event { result, .. }) => {
                self.pinged = Some(result.map(|_| ()).map_err(|error| whole(&error)));
            }
            BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                result: kad::QueryResult::GetRecord(result),
                ..
            }) => self.find(result),
            BehaviourEvent::Gossip(gossipsub::Event::Subscribed { topic, .. }) if topic.as_str() == TRIAL => {
                self.subscribed = true;
            }
            BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. }) => {
                // Others' lines pass by as well.
                self.answered |= self.awaited.as_ref() == Some(&message.data);
            }
            _ => {}
        }
    }

    fn find(&mut self, result: kad::GetRecordResult) {
        match result {
            Ok(kad::GetRecordOk::FoundRecord(found)) => self.record = Some(Ok(found.record.value)),
            Ok(kad::GetRecordOk::FinishedWithNoAdditionalRecord { .. }) => {}
            Err(error) => self.record = Some(Err(error.to_string())),
        }
    }
}

/// An error with all of its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
