//! A node's storage: writes take time and are done in order; a full one takes only removals.

use super::{Happening, World};
use crate::Change;

/// How long a write takes while the storage is slow.
const SLOW_WRITE_MS: u64 = 4_000;

impl World {
    pub(super) fn write(&mut self, node: usize, changes: Vec<Change>) {
        let it = &mut self.nodes[node];
        let takes = if it.disk_slow_until > self.now_ms { SLOW_WRITE_MS } else { self.plan.write_ms };
        it.written_at = it.written_at.max(self.now_ms + takes);
        let (at, run) = (it.written_at, it.run);
        self.at(at, Happening::Written { node, run, changes });
    }

    pub(super) fn written(&mut self, node: usize, run: u64, changes: Vec<Change>) {
        let it = &mut self.nodes[node];
        if it.run != run || it.core.is_none() {
            return;
        }
        let is_full = it.disk_full_until > self.now_ms;
        for Change { key, value } in changes {
            it.unwritten.remove(&key);
            match value {
                Some(value) if is_full => drop(it.unwritten.insert(key, value)),
                Some(value) => drop(it.disk.insert(key, value)),
                None => drop(it.disk.remove(&key)),
            }
        }
        if !is_full {
            it.disk.append(&mut it.unwritten);
        } else if !it.unwritten.is_empty() {
            let at = it.disk_full_until;
            self.at(at, Happening::Written { node, run, changes: Vec::new() });
        }
    }
}
