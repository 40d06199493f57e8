//! When the regions of the screen hear that the model changed: at once, and then at most once a frame, however much happens.
//! A frame in which hundreds of lines arrive draws as often as one with a single line.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::VisibilityState;

use crate::model::Model;

/// A hidden page has no frames: there it is a timer, which browsers may slow down.
const WHILE_HIDDEN: Duration = Duration::from_millis(100);
/// A browser that draws no frame of a visible page, as behind another window, gets no more than so much behind.
const WITHOUT_FRAMES: Duration = Duration::from_secs(1);

/// Tells of changes to the model that were made without telling.
#[derive(Clone, Copy)]
pub(crate) struct Changes {
    model: RwSignal<Model>,
    /// Whether the pause after the last telling lasts, and whether something has changed since.
    pause: StoredValue<Option<Pause>>,
    /// Pauses so far.
    pauses: StoredValue<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    Quiet,
    Changed,
}

impl Changes {
    pub(crate) fn of(model: RwSignal<Model>) -> Self {
        Self { model, pause: StoredValue::new(None), pauses: StoredValue::new(0) }
    }

    /// Something in the model changed: whoever shows it is told, now or after the frame that is under way.
    pub(crate) fn tell(self) {
        if self.pause.get_value().is_some() {
            self.pause.set_value(Some(Pause::Changed));
            return;
        }
        self.pause.set_value(Some(Pause::Quiet));
        self.model.notify();
        self.pauses.update_value(|pauses| *pauses += 1);
        let pause = self.pauses.get_value();
        let end = move || self.end(pause);
        if document().visibility_state() == VisibilityState::Hidden {
            set_timeout(end, WHILE_HIDDEN);
        } else {
            // Only after the frame: what is drawn now has its place in the list by then, and what is drawn then in the next.
            request_animation_frame(move || set_timeout(end, Duration::ZERO));
            set_timeout(end, WITHOUT_FRAMES);
        }
    }

    fn end(self, pause: u64) {
        if self.pauses.get_value() == pause
            && let Some(ended) = self.pause.try_update_value(Option::take).flatten()
            && ended == Pause::Changed
        {
            self.tell();
        }
    }
}
