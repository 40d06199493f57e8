//! The Tincan node: chat rooms, records, providers, discovery and relaying over libp2p.
//!
//! The same code runs on a machine and in a page; a host hands it a [`Platform`] and gets a [`Node`].
//!
//! # Layout
//!
//! | file | what lives there |
//! |---|---|
//! | [`config`], `limits`, `validate` | settings; bounds that an operator may change; which of them cannot work |
//! | [`platform`] | the seam between hosts: transport, storage, what only one host has |
//! | `node`, `command` | the handle, and what it asks |
//! | `event`, `message`, `error` | what callers are told |
//! | `core` | our own logic: inputs and the time go in, outputs come out; a file for each subject |
//! | `actor` | the event loop: the only one that touches the swarm, the streams and the storage |
//! | [`room`] | one room: frames, order, duplicates, waiting lines, what a sync gives and wants |
//! | `hub` | rooms a hub carries, who is in them, `/tincan/hub/1.0.0` |
//! | `records` | what is kept of records and providers, and whose places go first |
//! | `links`, `stay_away` | whom to stay connected to, and when to dial again; whom nothing dials for a while |
//! | [`access`], `gate`, `source`, `arrivals` | who may do what and how much; which addresses may connect, and which count as one |
//! | `foreign`, `bridge` | what other programs say in carried rooms; lines to and from a network without frames |
//! | `behaviour`, `gossip`, `circuits`, `ping`, [`probe`] | libp2p's protocols, put together and bounded |
//! | [`heard`] | when each connection last brought something |
//! | `streams`, `framing`, `pace`, `steady` | the streams of our own protocols; their messages; how fast they are read; when they stand still |
//! | `announce`, `reach`, `listeners` | which addresses we have, and to whom each is told |
//! | `pending`, `timers`, `counters` | replies that wait for the network; what is due when; what happened, in numbers |
//! | [`repl`], `text` | one line of text, one answer; text from strangers made harmless |
//!
//! How the core is cut, and the way of a line through these files: `docs/design.md`. Where a change goes:
//! `CONTRIBUTING.md`.

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
mod direct;
mod error;
mod event;
mod foreign;
mod framing;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod gossip;
pub mod heard;
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
mod steady;
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
pub use platform::{Change, Direct, HostBehaviour, HostEvent, NoStorage, Platform, Saved, Storage};
pub use reach::{Reach, Seen};
pub use room::saved_for_another_key;
pub use source::source;
pub use text::{Surface, is_blank, is_invisible, neutralise, short_id, short_name};
