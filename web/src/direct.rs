//! Whether the people of a room may connect to this page directly. They see its address by that, so a person says so first.

use leptos::{prelude::*, task::spawn_local};

use crate::{model::Room, session::session};

#[component]
pub(crate) fn DirectChoice() -> impl IntoView {
    let session = session();
    let state = Memo::new(move |_| {
        let is_framed = |room: &&Room| session.arranges() && !room.info.plain;
        session.model.with(|model| model.current_room().filter(is_framed).map(|room| room.info.direct))
    });
    let change = move |_| {
        let (room, direct) = session
            .model
            .with_untracked(|model| (model.current.clone(), model.current_room().is_some_and(|room| room.info.direct)));
        spawn_local(async move {
            if let Err(error) = session.set_direct(room, !direct).await {
                session.model.update(|model| model.warn(error.to_string()));
            }
        });
    };
    view! {
        <Show when=move || state.get().is_some()>
            <p class="direct" data-testid="direct-state" data-direct=move || state.get().unwrap_or_default().to_string()>
                {move || match state.get() {
                    Some(true) => "People in this room connect to you directly, and see your address. ",
                    _ => "Everything in this room goes through hubs; nobody sees your address. ",
                }}
                <button type="button" class="button plain" data-testid="direct-toggle" on:click=change>
                    {move || if state.get() == Some(true) { "Use hubs only" } else { "Connect directly" }}
                </button>
            </p>
        </Show>
    }
}
