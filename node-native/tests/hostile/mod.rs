//! Strangers who mean harm, and a hub that must not mind.
//!
//! | file | what |
//! |---|---|
//! | `siege`, `talk`, `memory`, `dice` | a hub, two people who talk over it, what must hold; one seed for everything |
//! | `plan`, `tcp`, `ws`, `http` | connections of those who have not authenticated |
//! | `udp`, `quic`, `stun` | their datagrams, and handshakes that somebody disturbs |
//! | `peer`, `habits`, `proto` | a peer with a valid key that says whatever it likes |
//! | `gossip`, `frames`, `records`, `identity`, `own`, `hub`, `floods` | what it says |
#![allow(dead_code, unreachable_pub, reason = "each test file is a program of its own and uses its part")]

pub mod dice;
pub mod floods;
pub mod frames;
pub mod gossip;
pub mod habits;
pub mod http;
pub mod hub;
pub mod identity;
pub mod memory;
pub mod own;
pub mod peer;
pub mod plan;
pub mod proto;
pub mod quic;
pub mod records;
pub mod siege;
pub mod stun;
pub mod talk;
pub mod tcp;
pub mod udp;
pub mod ws;
