//! When the regions of the screen hear that the model changed: at once, and then at most once a frame, however much happens.
//! A frame in which hundreds of lines arrive draws as often as one with a single line.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::VisibilityState;

use crate::{clock, model::Model};

/// A hidden page has no frames: there it is a timer, which browsers may slow down.
const WHILE_HIDDEN: Duration = Duration::from_millis(100);
/// A browser that draws no frame of a visible page, as behind another window, gets no more than so much behind.
const WITHOUT_FRAMES: Duration = Duration::from_secs(1);

/// Tells of changes to the model that were made without telling.
#[derive(Clone, Copy)]
pub(crate) struct Changes {
    model: RwSignal<Model>,
    /// The pause after the last telling.
    pause: StoredValue<Option<Pause>>,
    /// Pauses so far.
    pauses: StoredValue<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    /// Unix time in milliseconds.
    began_ms: u64,
    at_most: Duration,
    /// Whether something has changed meanwhile.
    changed: bool,
}

impl Pause {
    /// Timers of a page that sleeps come late; the clock does not. One that was set back ends the pause.
    fn lasts(&self, now_ms: u64) -> bool {
        now_ms.checked_sub(self.began_ms).is_some_and(|passed| u128::from(passed) < self.at_most.as_millis())
    }
}

impl Changes {
    pub(crate) fn of(model: RwSignal<Model>) -> Self {
        Self { model, pause: StoredValue::new(None), pauses: StoredValue::new(0) }
    }

    /// Something in the model changed: whoever shows it is told, now or after the frame that is under way.
    pub(crate) fn tell(self) {
        let now_ms = clock::now_ms();
        if let Some(pause) = self.pause.get_value().filter(|pause| pause.lasts(now_ms)) {
            self.pause.set_value(Some(Pause { changed: true, ..pause }));
            return;
        }
        let is_hidden = document().visibility_state() == VisibilityState::Hidden;
        let at_most = if is_hidden { WHILE_HIDDEN } else { WITHOUT_FRAMES };
        self.pause.set_value(Some(Pause { began_ms: now_ms, at_most, changed: false }));
        self.model.notify();
        self.pauses.update_value(|pauses| *pauses += 1);
        let pause = self.pauses.get_value();
        let end = move || self.end(pause);
        set_timeout(end, at_most);
        if !is_hidden {
            // Only after the frame: what is drawn now has its place in the list by then, and what is drawn then in the next.
            request_animation_frame(move || set_timeout(end, Duration::ZERO));
        }
    }

    fn end(self, pause: u64) {
        if self.pauses.get_value() == pause
            && let Some(ended) = self.pause.try_update_value(Option::take).flatten()
            && ended.changed
        {
            self.tell();
        }
    }
}
