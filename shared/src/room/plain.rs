//! Rooms of other programs: raw text instead of frames.

use super::{output::RoomOutput, saved, state::Room};

impl Room {
    /// Says raw text from now on, or frames again. What was said and what waits stays. Says whether that is a change.
    pub fn set_plain(&mut self, plain: bool, out: &mut Vec<RoomOutput>) -> bool {
        let Some(joined) = self.joined.as_mut().filter(|joined| joined.plain != plain) else { return false };
        joined.plain = plain;
        out.push(RoomOutput::Store(saved::put_room(&self.name, &joined.entry())));
        out.push(RoomOutput::Changed);
        true
    }
}
