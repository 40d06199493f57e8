//! The Tincan node: chat rooms, records, providers, discovery and relaying over libp2p.
//!
//! The same code runs on a machine and in a page; a host hands it a [`Platform`] and gets a [`Node`].
//!
//! # Layout
//!
//! | file | what lives there |
//! |---|---|
//! | [`config`], `validate` | settings and every bound; which settings cannot work |
//! | [`platform`] | the seam between hosts |
//! | `node`, `command` | the handle and what it asks |
//! | `actor` | the event loop; the only one that touches the swarm, a file for each subject |
//! | `behaviour`, `gossip` | the composition of protocols; what gossipsub remembers of strangers |
//! | `streams`, `framing`, `pace` | the streams of our own protocols; their messages; how fast they are read |
//! | `ping` | libp2p's ping, with answers that do not wait |
//! | `pending` | replies that wait for the network |
//! | `links`, `stay_away` | whom to stay connected to, and when to dial again; whom nothing dials for a while |
//! | [`access`], `gate`, `source` | who may do what and how much; which addresses may connect, and which count as one |
//! | `arrivals` | connections from outside, by address |
//! | `announce`, `reach` | to whom an address is told: what is private stays in its network |
//! | `circuits` | how often a relay may be used, by whom |
//! | `counters` | what happened, in numbers |
//! | `hub` | rooms a hub carries, who is in them, `/tincan/hub/1.0.0` |
//! | [`room`] | frames, order, duplicates, waiting lines, sync |
//! | `foreign` | what other programs say in carried rooms, passed on within a budget |
//! | `bridge` | lines to and from a network without frames, once each way |
//! | `records` | what is kept of records and providers, and whose places go first |
//! | [`repl`] | one line of text, one answer |
//!
//! # A chat line
//!
//! Enter → [`Node::say`] → one command → the room numbers, signs and keeps a frame → gossipsub → the
//! hub, which carries the room → the other node verifies it, drops duplicates, puts it in order →
//! [`Event::Message`] → screen. One's own line comes back through the same events.
//!
//! # A PUT
//!
//! [`repl`] or [`Node::put`] → bounds checked → kept and stored here → walk to the closest peers, the reply filed
//! under its query → put to those peers, whose stores take or refuse it → [`PutOutcome`]. When nobody took it, and again
//! before it expires, the publisher repeats the walk.

#![deny(missing_docs)]

pub mod access;
mod actor;
mod announce;
mod arrivals;
mod behaviour;
#[cfg(feature = "sim")]
mod bounded;
mod bridge;
mod circuits;
mod command;
pub mod config;
mod core;
mod counters;
mod error;
mod event;
mod foreign;
mod framing;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod gossip;
mod hub;
mod limits;
mod links;
mod listeners;
mod message;
mod node;
mod pace;
mod paths;
mod pending;
mod ping;
pub mod platform;
pub mod probe;
mod reach;
mod records;
pub mod repl;
pub mod room;
mod room_id;
#[cfg(feature = "sim")]
#[doc(hidden)]
#[path = "../sim/world/mod.rs"]
pub mod sim;
mod source;
mod stay_away;
mod streams;
mod text;
mod timers;
mod validate;

pub use actor::innermost_reason;
pub use config::{Config, Role, Rules};
pub use counters::Counters;
pub use error::Error;
pub use event::{
    Event, Link, Member, NodeInfo, Path, PeerInfo, ProvideOutcome, PutOutcome, RoomInfo, Status, StoredRoom,
    clock_difference,
};
pub use ipnet::IpNet;
pub use libp2p::{Multiaddr, PeerId, identity};
pub use limits::Limits;
pub use message::{Message, MessageState, Said};
pub use node::{Events, Node};
pub use platform::{Change, HostBehaviour, HostEvent, NoStorage, Platform, Saved, Storage};
pub use reach::{Reach, Seen};
pub use room::saved_for_another_key;
pub use source::source;
pub use text::{Surface, is_blank, is_invisible, neutralise, short_id, short_name};
