//! Rooms of other programs: raw text instead of frames.

use super::{
    saved,
    state::{Output, Room},
};

impl Room {
    /// Says raw text from now on, or frames again. What was said and what waits stays. Says whether that is a change.
    pub fn set_plain(&mut self, plain: bool, out: &mut Vec<Output>) -> bool {
        let Some(voice) = self.voice.as_mut().filter(|voice| voice.plain != plain) else { return false };
        voice.plain = plain;
        out.push(Output::Store(saved::put_room(&self.name, plain, voice.last_line, voice.last_presence)));
        out.push(Output::Changed);
        true
    }
}
