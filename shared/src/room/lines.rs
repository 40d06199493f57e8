//! Frames and waiting lines as a screen shows them.

use std::collections::VecDeque;

use libp2p::PeerId;

use super::{
    frame::{Body, Frame},
    identity::Identity,
    waiting::Waiting,
};
use crate::{Message, MessageState};

/// Lines kept for the screen in one room.
pub(super) const KEPT_LINES: usize = 500;

pub(super) fn remember(history: &mut VecDeque<Message>, message: Message) {
    history.push_back(message);
    if history.len() > KEPT_LINES {
        history.pop_front();
    }
}

pub(super) fn blank(room: &str, from: PeerId, nick: &str, time_ms: u64) -> Message {
    Message {
        room: room.to_owned(),
        id: String::new(),
        from,
        nick: nick.to_owned(),
        text: String::new(),
        time_ms,
        sequence: 0,
        state: MessageState::Received,
        plain: false,
        newer: false,
        claimed_source: None,
    }
}

pub(super) fn message_of(frame: &Frame, me: PeerId) -> Message {
    if let Body::Bridged { source, text, .. } = &frame.body {
        return Message {
            id: frame.id.to_hex(),
            text: text.clone(),
            claimed_source: Some(source_name(source)),
            ..blank(&frame.room, frame.author, "", frame.time_ms)
        };
    }
    let (nick, text, newer) = match &frame.body {
        Body::Message { nick, text } => (nick.as_str(), text.clone(), false),
        Body::Presence { nick, .. } => (nick.as_str(), String::new(), false),
        Body::Unknown | Body::Bridged { .. } => ("", String::new(), true),
    };
    Message {
        id: frame.id.to_hex(),
        text,
        sequence: frame.sequence,
        state: if frame.author == me { MessageState::Sent } else { MessageState::Received },
        newer,
        ..blank(&frame.room, frame.author, nick, frame.time_ms)
    }
}

/// What a bridge named as the source of a line, whether or not it is a peer id.
fn source_name(source: &[u8]) -> String {
    PeerId::from_bytes(source).map_or_else(|_| hex::encode(source), |peer| peer.to_base58())
}

/// A line that waits, in a room of raw text or of frames.
pub(super) fn waiting_message(room: &str, line: &Waiting, plain: bool, me: Identity<'_>) -> Message {
    Message {
        plain,
        id: line.id.clone(),
        text: line.text.clone(),
        state: MessageState::Waiting,
        ..blank(room, me.keypair.public().to_peer_id(), me.nick, line.time_ms)
    }
}
