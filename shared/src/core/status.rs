//! How rooms and the node stand, said when it changes.

use n0_future::time::Instant;

use crate::Link;

/// What was last said of the node.
pub(super) type Known = (Link, bool, Option<Instant>);
