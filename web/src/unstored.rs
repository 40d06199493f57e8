//! Lines of ours that the browser has not stored yet. That takes it a moment, and a page that ends meanwhile by a crash
//! loses them; so they are drawn as not stored until they are.

use std::collections::BTreeMap;

use leptos::{prelude::*, task::spawn_local};
use tincan_shared::{Event, MessageState};
use tincan_wasm::PageNode;

/// Lines that are marked at once; where there are more the browser stores nothing, which is said above the conversation.
const MAX_UNSTORED: usize = 512;

/// The lines that are marked, by their ids, each with whether it still is.
#[derive(Clone, Copy)]
pub(crate) struct Unstored(StoredValue<BTreeMap<String, ArcRwSignal<bool>>>);

impl Unstored {
    pub(crate) fn new() -> Self {
        Self(StoredValue::default())
    }

    /// Marks the line of ours that an event brings, until it is stored. Called before the line is shown, and after the
    /// node has handed it to the storage, which it does before it tells.
    pub(crate) fn note(self, node: &PageNode, event: &Event) {
        let id = match event {
            Event::Message(message) if message.state != MessageState::Received => message.id.clone(),
            Event::Sent { message, .. } => message.id.clone(),
            _ => return,
        };
        let mark = ArcRwSignal::new(true);
        self.0.update_value(|marks| {
            marks.insert(id.clone(), mark.clone());
            if marks.len() > MAX_UNSTORED {
                marks.pop_first();
            }
        });
        let node = node.clone();
        spawn_local(async move {
            if node.is_stored().await {
                self.0.update_value(|marks| drop(marks.remove(&id)));
                mark.set(false);
            }
        });
    }

    /// Whether a line is marked, as long as it may be.
    pub(crate) fn of(self, id: &str) -> Option<ArcRwSignal<bool>> {
        self.0.with_value(|marks| marks.get(id).cloned())
    }
}

/// Shows only when it stays for a while.
#[component]
pub(crate) fn UnstoredMark(unstored: ArcRwSignal<bool>) -> impl IntoView {
    view! {
        <Show when=move || unstored.get()>
            <span class="mark unstored" title="Your browser has not stored this line yet. If this page ends now, it is lost.">
                "not stored yet"
            </span>
        </Show>
    }
}
