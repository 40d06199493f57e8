//! On a narrow screen, rooms and people are sheets that open over the conversation.

use leptos::prelude::*;

/// A sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Panel {
    Rooms,
    People,
}

/// Which sheet is open; wider screens show both at all times.
#[derive(Clone, Copy)]
pub(crate) struct Panels(RwSignal<Option<Panel>>);

impl Panels {
    pub(crate) fn new() -> Self {
        Self(RwSignal::new(None))
    }

    pub(crate) fn is_open(self, panel: Panel) -> bool {
        self.0.get() == Some(panel)
    }

    pub(crate) fn toggle(self, panel: Panel) {
        self.0.update(|open| *open = if *open == Some(panel) { None } else { Some(panel) });
    }

    pub(crate) fn close(self) {
        // Others only hear of what changes.
        if self.0.get_untracked().is_some() {
            self.0.set(None);
        }
    }
}

/// The sheets, in any region of the screen.
pub(crate) fn panels() -> Panels {
    expect_context()
}
