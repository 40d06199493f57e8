//! What a hub holds, as the system sees it.

use crate::support::Hub;

/// What a hub may hold more after hostile input than before it.
pub const MAX_GROWTH_KIB: u64 = 64 * 1024;

/// Resident, in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub now: u64,
    /// The most there ever was.
    pub peak: u64,
}

impl Memory {
    pub fn of(hub: &Hub) -> Self {
        let id = hub.running.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the hub runs");
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.trim().trim_end_matches(" kB").parse().expect("KiB")
        };
        Self { now: kib("VmRSS:"), peak: kib("VmHWM:") }
    }
}
