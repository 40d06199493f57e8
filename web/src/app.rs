//! The regions of the screen.

use leptos::{ev, mount::mount_to_body, prelude::*};

use crate::{
    attention,
    console::Console,
    conversation::Conversation,
    dial::Dial,
    focus, keys,
    logo::Tins,
    lookalikes::LookAlikes,
    notice::Notices,
    panel::{Panel, Panels, panels},
    people::People,
    rooms::{Rooms, follow_current_room},
    session::{Phase, Session, session},
    settings::Settings,
    title,
    top::Top,
};

/// Puts the page in the place of the first paint and starts the node.
pub(crate) fn mount() {
    let first_paint = document().get_element_by_id("start");
    mount_to_body(App);
    if let Some(element) = first_paint {
        element.remove();
    }
}

/// Loads the page anew.
pub(crate) fn reload() {
    if let Err(error) = window().location().reload() {
        tracing::warn!(?error, "the page cannot reload itself");
    }
}

#[component]
fn App() -> impl IntoView {
    let session = Session::new();
    provide_context(session);
    provide_context(Panels::new());
    provide_context(LookAlikes::new(session));
    window_event_listener(ev::hashchange, move |_| {
        if session.phase.get_untracked() == Phase::Running {
            session.follow_address();
        }
    });
    follow_current_room(session);
    title::follow(session);
    session.start();
    let running = Memo::new(move |_| session.phase.get() == Phase::Running);
    view! {
        <Show when=move || running.get() fallback=Start>
            <Screen />
        </Show>
    }
}

/// What is there until the node runs.
#[component]
fn Start() -> impl IntoView {
    let phase = session().phase;
    view! {
        <main class="start">
            <Tins />
            <h1>"Tincan"</h1>
            {move || match phase.get() {
                Phase::Failed(reason) => {
                    view! {
                        <p class="error" role="alert" data-testid="error">{reason}</p>
                        <button type="button" class="button" on:click=|_| reload()>"Reload"</button>
                    }
                    .into_any()
                }
                Phase::Starting(stage) => view! { <p role="status" data-testid="starting">{stage}</p> }.into_any(),
                Phase::Running => ().into_any(),
            }}
        </main>
    }
}

#[component]
fn Screen() -> impl IntoView {
    let panels = panels();
    attention::follow(session());
    focus::follow();
    let on_key = move |event: ev::KeyboardEvent| {
        if keys::pressed(&event).as_deref() == Some("Escape") {
            panels.close();
        }
    };
    view! {
        <div class="screen" on:keydown=on_key>
            <Top />
            <Notices />
            <Rooms />
            <Conversation />
            <aside
                id="people"
                class="people"
                class:open=move || panels.is_open(Panel::People)
                aria-label="People and network"
            >
                <People />
                <Dial />
                <Settings />
                <Console />
            </aside>
            <Heard />
        </div>
    }
}

/// Tells screen readers about lines of others as they arrive.
#[component]
fn Heard() -> impl IntoView {
    let model = session().model;
    let heard = Memo::new(move |_| model.with(|model| model.heard.clone()));
    view! {
        <div class="visually-hidden" role="log" aria-live="polite" aria-label="New lines">
            <For each=move || heard.get() key=|(number, _)| *number let((_, said))>
                <p>{said}</p>
            </For>
        </div>
    }
}
