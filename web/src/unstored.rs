//! Lines of ours that the browser has not stored yet. That takes it a moment, and a page that ends meanwhile by a crash
//! loses them; so they are drawn as not stored until they are.

use leptos::{prelude::*, task::spawn_local};
use tincan_shared::{Event, MessageState};
use tincan_wasm::PageNode;

use crate::{
    model::Model,
    session::{Session, session},
};

/// Lines that are marked at once; where there are more the browser stores nothing, which is said above the conversation.
const MAX_UNSTORED: usize = 512;

/// Marks the line of ours that an event brings, until it is stored. Called before the line is shown, and after the node
/// has handed it to the storage, which it does before it tells.
pub(crate) fn note(session: Session, node: &PageNode, event: &Event) {
    let id = match event {
        Event::Message(message) if message.state != MessageState::Received => message.id.clone(),
        Event::Sent { message, .. } => message.id.clone(),
        _ => return,
    };
    if !session.keep().keeps() {
        return;
    }
    session.model.update_untracked(|model| {
        model.unstored.insert(id.clone());
        if model.unstored.len() > MAX_UNSTORED {
            model.unstored.pop_first();
        }
    });
    let node = node.clone();
    spawn_local(async move {
        if node.is_stored().await {
            session.model.update(|model| {
                model.unstored.remove(&id);
            });
        }
    });
}

/// Whether a line is marked, as long as it may be.
pub(crate) fn unstored(id: &str) -> Option<Memo<bool>> {
    let (model, id) = (session().model, id.to_owned());
    let is_marked = move |model: &Model| model.unstored.contains(&id);
    model.with_untracked(&is_marked).then(|| Memo::new(move |_| model.with(&is_marked)))
}

/// Shows only when it stays for a while.
#[component]
pub(crate) fn UnstoredMark(unstored: Memo<bool>) -> impl IntoView {
    view! {
        <Show when=move || unstored.get()>
            <span class="mark unstored" title="Your browser has not stored this line yet. If this page ends now, it is lost.">
                "not stored yet"
            </span>
        </Show>
    }
}
