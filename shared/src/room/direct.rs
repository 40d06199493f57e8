//! Whether a room's members may connect to us directly: they learn our addresses by that, so it is the person's to say.

use super::{output::RoomOutput, saved, state::Room};

impl Room {
    /// Whether they may. Rooms of raw text have no way to say so.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.joined.as_ref().is_some_and(|joined| joined.direct && !joined.plain)
    }

    /// They may from now on, or may no longer. Says whether that is a change.
    pub fn set_direct(&mut self, direct: bool, out: &mut Vec<RoomOutput>) -> bool {
        let Some(joined) = self.joined.as_mut().filter(|joined| joined.direct != direct) else { return false };
        joined.direct = direct;
        out.push(RoomOutput::Store(saved::put_room(&self.name, &joined.entry())));
        out.push(RoomOutput::Changed);
        true
    }
}
