//! The state of the connection, in plain words. Pure: the time is an argument.

use tincan_shared::Link;
use tincan_wasm::Origin;

use crate::{model::Model, roster::Roster};

/// Ports that are named.
const MAX_PORTS: usize = 3;

/// The state of the connection, as far as people need to know it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConnectionStatus {
    Fine,
    /// Another tab changed what Tincan keeps in this browser: the node has stopped.
    Outdated,
    Looking,
    /// The hub behind the page's address answers by HTTP; the connection to these ports is still to be made.
    Joining {
        ports: String,
    },
    /// Connected only to peers that are neither hubs nor in our rooms.
    Strangers {
        count: usize,
    },
    HubGone {
        direct: usize,
    },
    Offline {
        why: OfflineReason,
        /// Unix time in milliseconds; none while trying.
        retry_at_ms: Option<u64>,
        trying: bool,
    },
}

/// Why the page is offline, as far as is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OfflineReason {
    Unknown,
    /// No hub was found at all.
    NoHub {
        reason: String,
    },
    NoAddress,
    PortSilent {
        ports: String,
    },
    TurnedAway {
        reason: Option<String>,
    },
}

impl ConnectionStatus {
    pub(crate) fn of(model: &Model) -> Self {
        if model.outdated {
            return Self::Outdated;
        }
        let trying = model.status.link == Link::Connecting;
        match (model.status.link, &model.origin) {
            (Link::Online, _) if model.status.hub => Self::Fine,
            (Link::Online, _) => Self::HubGone { direct: Roster::of(model).counts().1 },
            (_, Origin::Answers { ports, .. }) if !model.cut_off => Self::Joining { ports: named(ports) },
            (Link::Connecting, _) if strangers(model) > 0 => Self::Strangers { count: strangers(model) },
            (_, Origin::Asking) if !model.cut_off => Self::Looking,
            (Link::Connecting, _) if !model.cut_off => Self::Looking,
            _ => Self::Offline { why: OfflineReason::of(model), retry_at_ms: model.retry_at_ms, trying },
        }
    }

    /// In the one word of the top line: asking for the hub is part of connecting.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Fine | Self::HubGone { .. } => "online",
            Self::Looking | Self::Joining { .. } | Self::Strangers { .. } | Self::Offline { trying: true, .. } => {
                "connecting"
            }
            Self::Offline { trying: false, .. } | Self::Outdated => "offline",
        }
    }

    pub(crate) fn can_retry(&self) -> bool {
        matches!(self, Self::Strangers { .. } | Self::HubGone { .. } | Self::Offline { .. })
    }

    pub(crate) fn needs_reload(&self) -> bool {
        matches!(self, Self::Outdated)
    }

    /// What it says at a time.
    pub(crate) fn words(&self, now_ms: u64) -> String {
        match self {
            Self::Fine => String::new(),
            Self::Outdated => {
                "Another tab has changed what Tincan keeps in this browser, as after an update, so this tab \
                               has stopped. Reload it to go on."
                    .to_owned()
            }
            Self::Looking => "Looking for the hub…".to_owned(),
            Self::Joining { ports } => format!("This page's hub answers. Connecting to its peer {ports}…"),
            Self::Strangers { count } => {
                let (peers, which) = if *count == 1 { ("peer", "which is") } else { ("peers", "which are") };
                format!(
                    "Connected to {count} {peers}, {which} neither a hub nor in your rooms. Lines wait until somebody comes."
                )
            }
            Self::HubGone { direct } => {
                let people = if *direct == 1 { "person" } else { "people" };
                format!("The hub is gone. You still reach {direct} {people} directly.")
            }
            Self::Offline { why, retry_at_ms, trying } => {
                let next = match retry_at_ms {
                    _ if *trying => " Trying again now…".to_owned(),
                    Some(at) => format!(" Trying again in {} s.", at.saturating_sub(now_ms).div_ceil(1000)),
                    None => String::new(),
                };
                format!("{}{next}", why.words())
            }
        }
    }
}

impl OfflineReason {
    fn of(model: &Model) -> Self {
        if let Some(hub) = model.refusals.turned_away_by() {
            return Self::TurnedAway { reason: model.refusals.reason_of(&hub) };
        }
        match &model.origin {
            Origin::Answers { ports, .. } => Self::PortSilent { ports: named(ports) },
            Origin::Undiallable => Self::NoAddress,
            // If a hub is known, it is enough to say that it is gone.
            Origin::Silent(reason) if model.retry_at_ms.is_none() => Self::NoHub { reason: reason.clone() },
            Origin::Silent(_) | Origin::Asking | Origin::Unasked => Self::Unknown,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Unknown => "Offline.".to_owned(),
            Self::NoHub { reason } => format!("Offline. The hub of this page does not answer: {reason}."),
            Self::NoAddress => {
                "Offline. This page's hub names no address that a page can dial; it should listen on /ws, or announce \
                 a wss address."
                    .to_owned()
            }
            Self::PortSilent { ports } if ports.starts_with("ports") => {
                format!("This page's hub answers, but its peer {ports} do not.")
            }
            Self::PortSilent { ports } => format!("This page's hub answers, but its peer {ports} does not."),
            Self::TurnedAway { reason: Some(reason) } => format!("The hub turns this page away: {reason}."),
            Self::TurnedAway { reason: None } => "The hub turns this page away.".to_owned(),
        }
    }
}

/// Connected peers that are identified and are no hubs.
fn strangers(model: &Model) -> usize {
    model.peers.values().filter(|peer| !peer.hub && peer.agent.is_some()).count()
}

/// `port 4748`, or `ports 4748 and 443`.
fn named(ports: &[u16]) -> String {
    let mut words: Vec<String> = ports.iter().take(MAX_PORTS).map(u16::to_string).collect();
    match words.pop() {
        None => "port".to_owned(),
        Some(only) if words.is_empty() => format!("port {only}"),
        Some(last) => format!("ports {} and {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use tincan_shared::{Event, Status};

    use super::*;
    use crate::sample::{connected, peer};

    fn status(model: &mut Model, link: Link, retry_in_ms: Option<u64>) {
        model.apply(Event::Status(Status { link, hub: false, retry_in_ms }), 1_000);
    }

    fn said(model: &Model) -> String {
        ConnectionStatus::of(model).words(1_000)
    }

    #[test]
    fn what_is_waited_for_is_said_step_by_step() {
        let mut model = Model::default();
        assert_eq!(said(&model), "Looking for the hub…");
        status(&mut model, Link::Offline, None);
        assert_eq!(
            (said(&model).as_str(), ConnectionStatus::of(&model).word()),
            ("Looking for the hub…", "connecting")
        );
        model.origin = Origin::Answers { hub: peer(1), ports: vec![4748], page: None };
        assert_eq!(said(&model), "This page's hub answers. Connecting to its peer port 4748…");
        status(&mut model, Link::Offline, Some(1_500));
        assert_eq!(said(&model), "This page's hub answers, but its peer port 4748 does not. Trying again in 2 s.");
        status(&mut model, Link::Connecting, None);
        assert_eq!(said(&model), "This page's hub answers, but its peer port 4748 does not. Trying again now…");
        model.origin = Origin::Asking;
        status(&mut model, Link::Offline, Some(4_000));
        assert_eq!(said(&model), "Offline. Trying again in 4 s.");
        model.origin = Origin::Silent("it cannot be reached".into());
        assert_eq!(said(&model), "Offline. Trying again in 4 s.");
        let mut anew = Model::default();
        anew.origin = model.origin;
        status(&mut anew, Link::Offline, None);
        assert_eq!(said(&anew), "Offline. The hub of this page does not answer: it cannot be reached.");
    }

    #[test]
    fn a_hub_that_closes_at_once_is_not_said_to_be_silent() {
        let mut model = Model::default();
        model.origin = Origin::Answers { hub: peer(1), ports: vec![4748, 443], page: None };
        model.apply(Event::PeerUp(connected(1, false)), 1_000);
        model.apply(Event::PeerDown { peer: peer(1) }, 1_000);
        status(&mut model, Link::Offline, Some(1_000));
        assert_eq!(said(&model), "The hub turns this page away. Trying again in 1 s.");
        model.apply(Event::Refused { peer: peer(1), reason: "you are not on the list.".into(), closes: true }, 1_000);
        status(&mut model, Link::Offline, Some(1_000));
        assert_eq!(said(&model), "The hub turns this page away: you are not on the list. Trying again in 1 s.");
        // The next attempt reaches nobody.
        status(&mut model, Link::Connecting, None);
        status(&mut model, Link::Offline, Some(1_000));
        assert_eq!(
            said(&model),
            "This page's hub answers, but its peer ports 4748 and 443 do not. Trying again in 1 s."
        );
    }

    #[test]
    fn connected_to_strangers_alone_it_says_what_is_missing() {
        let mut model = Model::default();
        model.origin = Origin::Unasked;
        let mut stranger = connected(1, false);
        model.apply(Event::PeerUp(stranger.clone()), 1_000);
        status(&mut model, Link::Connecting, None);
        assert_eq!(said(&model), "Looking for the hub…", "it may still be one");
        stranger.agent = Some("tincan/0.1.0 (native)".into());
        model.apply(Event::PeerChanged(stranger), 1_000);
        assert_eq!(
            said(&model),
            "Connected to 1 peer, which is neither a hub nor in your rooms. Lines wait until somebody comes."
        );
        assert!(ConnectionStatus::of(&model).can_retry());
    }

    #[test]
    fn ports_are_few() {
        assert_eq!(named(&[]), "port");
        assert_eq!(named(&[1, 2, 3, 4]), "ports 1, 2 and 3");
    }
}
