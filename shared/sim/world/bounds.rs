//! What holds at every step: bounds, nothing remembered of who is gone, nobody honest blamed.

use super::{World, name};
use crate::core::Input;

impl World {
    /// Looks at a node after it has decided. `input_ends`: a connection ended, so something had to be forgotten.
    pub(super) fn check_node(&mut self, node: usize, input_ends: bool) {
        let Some(core) = &self.nodes[node].core else { return };
        if let Some(over) = core.bounds().into_iter().find(|held| held.size > held.bound) {
            let how = format!("{}: {} is {}, and may be {}", name(node), over.name, over.size, over.bound);
            return self.checks.fail("all bounds hold", how);
        }
        if !input_ends {
            return;
        }
        let connected = &self.nodes[node].connected;
        let forgotten = core.remembered().into_iter().find_map(|(part, peers)| {
            let gone = peers.into_iter().find(|peer| !connected.contains(peer))?;
            Some(format!("{}: {part} still has {gone}", name(node)))
        });
        if let Some(how) = forgotten {
            return self.checks.fail("who is gone is forgotten", how);
        }
        if let Some(peer) = core.offenders().first() {
            let how = format!("{} has an offence of {peer}", name(node));
            self.checks.fail("no honest peer is refused", how);
        }
    }

    /// Notes whom a node knows to be connected. Says whether somebody is gone.
    pub(super) fn note_connected(&mut self, node: usize, input: &Input) -> bool {
        let connected = &mut self.nodes[node].connected;
        match input {
            Input::Connected(connection) => {
                connected.insert(connection.peer);
                false
            }
            Input::Disconnected { peer, left: 0, .. } => connected.remove(peer),
            _ => false,
        }
    }
}
