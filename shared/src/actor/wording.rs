//! Failed dials in words for people.

use std::collections::BTreeSet;

use libp2p::{TransportError, swarm::DialError};

/// Reasons of one failed dial that are told; its addresses may have one each.
const MAX_REASONS: usize = 3;
/// What libp2p says when a dial took too long.
const TIMED_OUT: &str = "Timeout has been reached";

/// A failed dial in words for people, with what to do.
pub(super) fn describe_dial_error(error: &DialError) -> String {
    match error {
        DialError::WrongPeerId { obtained, .. } => {
            format!("somebody else answers there, {obtained}; check what follows /p2p/")
        }
        DialError::LocalPeerId { .. } => "that is this node itself; give another's address".into(),
        DialError::NoAddresses => "no address is known; give one".into(),
        DialError::Denied { .. } => "this node refuses the peer, or has too many connections".into(),
        DialError::DialPeerConditionFalse(_) => "already connected, or being dialled".into(),
        DialError::Aborted => "given up; try again".into(),
        DialError::Transport(errors) => {
            // What this host cannot dial at all matters only where there is nothing else. In an order of their own, as
            // each try begins with another address.
            let tried = errors.iter().filter_map(|(_, error)| match error {
                TransportError::Other(error) => Some(innermost_reason(error)),
                TransportError::MultiaddrNotSupported(_) => None,
            });
            let reasons: Vec<String> = tried.collect::<BTreeSet<_>>().into_iter().take(MAX_REASONS).collect();
            match &reasons[..] {
                [] => "no transport here can dial it; check the address".into(),
                [reason] if reason.contains("; ") => reason.clone(),
                [reason] => format!("{reason}; check the address, and that the peer runs"),
                reasons => {
                    format!("{}; check the addresses, and that the peer runs", without_advice(reasons).join(", or: "))
                }
            }
        }
    }
}

/// Each up to its advice: one is enough.
fn without_advice(reasons: &[String]) -> Vec<&str> {
    reasons.iter().map(|reason| reason.split_once("; ").map_or(reason.as_str(), |(what, _)| what)).collect()
}

/// The innermost reason, which is the one people know; the layers above it repeat themselves.
pub(super) fn root_cause<E: std::error::Error + 'static>(error: &TransportError<E>) -> String {
    let TransportError::Other(error) = error else { return "no transport here can use it".into() };
    innermost_reason(error)
}

/// The innermost of an error and those that it came from, in one line: the one that people know, as the layers above it
/// repeat themselves. It holds `; ` where it says itself what to do.
#[must_use]
pub fn innermost_reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    // Some errors list several below a heading; the last line is the one that says something.
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    let line = line.trim().trim_start_matches("- ");
    let line = line.split_once(" (os error ").map_or(line, |(words, _)| words);
    let line = if line == TIMED_OUT { "no answer in time" } else { line };
    crate::neutralise(line, false)
}
