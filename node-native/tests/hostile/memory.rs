//! What a hub holds and uses, as the system sees it.

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

/// Processor time that a hub has used, in ticks of the system's clock, of which there are a hundred a second.
pub fn processor(hub: &Hub) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", hub.running.id())).expect("the hub runs");
    // What follows the program's name, which is in brackets: the 12th and 13th are user and system time.
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum()
}
