//! What hubs that let nobody in mean for this node: who told it to stay away is not dialled for a while.

use std::time::Duration;

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{Core, Output};
use crate::Event;

/// How long a hub is not dialled that told us to stay away.
const STAY_AWAY_TIME: Duration = Duration::from_secs(30);
/// The same of a hub where another program with our key is, unless a person wants it sooner: as good as for ever.
const TWIN_STAY_AWAY_TIME: Duration = Duration::from_secs(365 * 24 * 3600);

impl Core {
    /// A hub that is about to close told us why.
    pub(super) fn stay_away(&mut self, hub: PeerId) {
        let until = self.now.instant + STAY_AWAY_TIME;
        self.links.pause_until(hub, until);
        self.stay_away_until(hub, until);
    }

    /// Another program with our key is connected to a hub, and was so before us.
    pub(super) fn rest_as_twin(&mut self, hub: PeerId) {
        self.emit(Event::RunsElsewhere);
        self.links.sleep(hub);
        self.stay_away_until(hub, self.now.instant + TWIN_STAY_AWAY_TIME);
    }

    fn stay_away_until(&mut self, hub: PeerId, until: Instant) {
        self.out.push(Output::StayAway { peer: hub, until });
        if let Some(known) = self.peers.get_mut(&hub) {
            known.welcome = false;
        }
    }

    /// A hub greeted us without a reason to go.
    pub(super) fn welcomed(&mut self, hub: PeerId) {
        self.links.welcomed(hub);
        self.out.push(Output::ForgetStayAway(Some(hub)));
        if let Some(known) = self.peers.get_mut(&hub) {
            known.welcome = true;
            self.direct.changed(self.now.instant);
        }
    }

    /// Dials lost hubs at once; those that told us to stay away only when a person wants it.
    pub(super) fn retry(&mut self, wanted: bool) {
        if wanted {
            self.links.want();
            self.out.push(Output::ForgetStayAway(None));
        }
        self.links.retry_now(self.now.instant);
    }
}
