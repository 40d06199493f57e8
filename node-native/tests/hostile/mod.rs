//! Strangers who mean harm, and a hub that must not mind.
#![allow(dead_code, unreachable_pub, reason = "each test file is a program of its own and uses its part")]

pub mod dice;
pub mod http;
pub mod plan;
pub mod siege;
pub mod talk;
pub mod tcp;
pub mod ws;
