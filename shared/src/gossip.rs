//! What gossipsub lets strangers make a node remember, bounded where its own settings have no bound.

use std::time::Duration;

use libp2p::gossipsub::{PeerScoreParams, PeerScoreThresholds, TopicHash, TopicSubscriptionFilter};

use crate::config::MAX_ROOM_BYTES;

/// Subscriptions that are noted: those to what could be a room. A longer name is nobody's room, and a thousand of
/// them would be 60 MiB of one peer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RoomNames;

impl TopicSubscriptionFilter for RoomNames {
    fn can_subscribe(&mut self, topic: &TopicHash) -> bool {
        topic.as_str().len() <= MAX_ROOM_BYTES
    }
}

/// Peer scoring that scores nothing, whoever does whatever: every weight is 0. It is on because only then
/// gossipsub forgets the messages that a peer announced, was asked for and never sent.
pub(crate) fn no_scores() -> (PeerScoreParams, PeerScoreThresholds) {
    let params = PeerScoreParams {
        app_specific_weight: 0.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: 0.0,
        slow_peer_weight: 0.0,
        retain_score: Duration::ZERO,
        ..PeerScoreParams::default()
    };
    (params, PeerScoreThresholds { opportunistic_graft_threshold: 0.0, ..PeerScoreThresholds::default() })
}
