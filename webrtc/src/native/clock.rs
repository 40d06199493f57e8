//! The clock of connections and sockets. Their parts take the time as an argument.

use std::time::Instant;

#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}
