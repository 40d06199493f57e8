//! Whether somebody can see the page: it tells the model, and keeps how far the rooms are read for the next page.

use std::time::Duration;

use leptos::{ev, prelude::*};
use web_sys::VisibilityState;

use crate::{clock, keep::What, session::Session};

/// After a new line, how far it was read is kept so much later: not once a line, and soon enough for a crash.
const KEPT_AFTER: Duration = Duration::from_secs(1);

/// Follows the page's visibility for as long as it lives. Called once the first lines are there.
pub(crate) fn follow(session: Session) {
    see(session);
    // Neither handle is dropped: both listen as long as the page.
    let _ = window_event_listener(ev::Custom::<ev::Event>::new("visibilitychange"), move |_| see(session));
    let _ = window_event_listener(ev::pagehide, move |_| keep(session));
    let _ = window_event_listener(ev::storage, move |event| {
        if event.key().is_some_and(|key| session.keep().is(What::Muted, &key)) {
            session.read_muted();
        }
    });
    keep_what_was_read(session);
}

fn see(session: Session) {
    let visible = document().visibility_state() != VisibilityState::Hidden;
    session.model.update(|model| model.set_visible(visible, clock::now_ms()));
    if !visible {
        // The last moment that a phone grants.
        keep(session);
    }
}

fn keep(session: Session) {
    let marks = session.model.try_update_untracked(|model| model.written_marks(clock::now_ms()));
    session.keep().set(What::Marks, &marks.unwrap_or_default());
}

fn keep_what_was_read(session: Session) {
    let read = Memo::new(move |_| {
        session.model.with(|model| {
            let room = model.current_room()?;
            Some((room.info.room.clone(), room.lines.revision(), model.visible))
        })
    });
    let due = StoredValue::new(false);
    Effect::new(move || {
        read.track();
        if !due.get_value() {
            due.set_value(true);
            set_timeout(
                move || {
                    due.set_value(false);
                    keep(session);
                },
                KEPT_AFTER,
            );
        }
    });
}
