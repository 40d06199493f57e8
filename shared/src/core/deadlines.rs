//! When a core wants to be asked again.

use n0_future::time::Instant;

use super::{Core, hub_stream::HubStream};

impl Core {
    /// When [`Input::Tick`] is due at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadlines().into_iter().filter_map(|(_, at)| at).fold(self.expire_due, Instant::min)
    }

    /// Each part's deadline.
    pub(crate) fn deadlines(&self) -> [(&'static str, Option<Instant>); 14] {
        [
            ("rooms", self.room_timers.next()),
            ("look", self.look_due()),
            ("desk", self.desk.deadline()),
            ("reasons", self.reasons.deadline()),
            ("links", self.links.deadline()),
            ("dials", self.dials.deadline()),
            ("doubles", self.doubles.deadline()),
            ("direct", self.direct.deadline().filter(|_| self.arranges)),
            ("bridge", self.bridge.deadline()),
            ("syncs", self.syncs.deadline()),
            ("refusals", self.refusals.deadline()),
            ("patience", self.patience.deadline()),
            ("clock", self.clock.deadline()),
            ("hub streams", self.hubs.values().filter_map(HubStream::reopens_at).min()),
        ]
    }
}
