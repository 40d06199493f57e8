//! The rooms one is in, as tabs, and the way into another.

use leptos::{ev, html, prelude::*, task::spawn_local};
use tincan_shared::{Error, neutralise};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::{
    keys,
    model::Model,
    names::tidy,
    panel::{Panel, panels},
    routing,
    session::{Session, session},
};

/// Keeps the page's address and title in step with the room on the screen.
pub(crate) fn follow_current_room(session: Session) {
    let current = Memo::new(move |_| session.model.with(|model| model.current.clone()));
    let plain = Memo::new(move |_| session.model.with(Model::is_plain));
    let unread = Memo::new(move |_| session.model.with(Model::unread));
    Effect::new(move || current.with(|room| show_in_address(room, plain.get())));
    Effect::new(move || {
        let room = current.with(|room| neutralise(room, false));
        let count = match unread.get() {
            0 => String::new(),
            n => format!("({n}) "),
        };
        let room = if room.is_empty() { room } else { format!("{room} · ") };
        document().set_title(&format!("{count}{room}Tincan"));
    });
}

fn show_in_address(room: &str, plain: bool) {
    let location = window().location();
    let hash = location.hash().unwrap_or_default();
    let shown = routing::room_in(&hash).as_deref() == Some(room) && routing::is_plain(&hash) == plain;
    if room.is_empty() || shown {
        return;
    }
    let wanted = routing::hash_of(room, plain, tidy(room) != room);
    let same_name = routing::room_in(&hash).is_some_and(|named| tidy(&named) == room);
    let shown = if hash.is_empty() || same_name {
        // The first room is no step to go back from, nor is another spelling of it.
        window().history().and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(&wanted)))
    } else {
        location.set_hash(&wanted)
    };
    if let Err(error) = shown {
        tracing::warn!(?error, "the room cannot be shown in the address");
    }
}

#[component]
pub(crate) fn Rooms() -> impl IntoView {
    let model = session().model;
    let panels = panels();
    let names = Memo::new(move |_| {
        model.with(|model| model.rooms.iter().map(|room| room.info.room.clone()).collect::<Vec<_>>())
    });
    view! {
        <nav id="rooms" class="rooms" class:open=move || panels.is_open(Panel::Rooms) aria-label="Rooms">
            <h2>"Rooms"</h2>
            <div class="tabs" role="tablist" aria-label="Rooms" on:keydown=move_along>
                <For each=move || names.get() key=Clone::clone let(name)>
                    <Tab name />
                </For>
            </div>
            <JoinForm />
        </nav>
    }
}

#[component]
fn Tab(name: String) -> impl IntoView {
    let session = session();
    let panels = panels();
    let shown = neutralise(&name, false);
    let selected = {
        let name = name.clone();
        Memo::new(move |_| session.model.with(|model| model.current == name))
    };
    let unread = {
        let name = name.clone();
        Memo::new(move |_| session.model.with(|model| model.room(&name).map_or(0, |room| room.unread)))
    };
    let button = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(button) = button.get().filter(|_| selected.get()) {
            // In the bar of the medium width, tabs may lie beyond the edge.
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            nearest.set_inline(ScrollLogicalPosition::Nearest);
            button.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
    });
    let open = {
        let name = name.clone();
        move |_| {
            session.model.update(|model| model.open(&name));
            panels.close();
        }
    };
    view! {
        <button
            type="button"
            role="tab"
            node_ref=button
            class="tab"
            data-testid="room-tab"
            data-room=name
            aria-selected=move || selected.get().to_string()
            aria-controls="conversation"
            tabindex=move || if selected.get() { "0" } else { "-1" }
            on:click=open
        >
            <span class="name" dir="auto">{shown}</span>
            <Unread count=unread />
        </button>
    }
}

/// How many lines wait to be read, when there are any.
#[component]
pub(crate) fn Unread(count: Memo<u32>) -> impl IntoView {
    move || match count.get() {
        0 => None,
        n => Some(view! { <span class="unread">{n}<span class="visually-hidden">" unread"</span></span> }),
    }
}

/// Arrow keys, Home and End move along the tabs, as in any list of tabs.
fn move_along(event: ev::KeyboardEvent) {
    let Some(tabs) = event.current_target().and_then(|list| list.dyn_into::<HtmlElement>().ok()) else { return };
    let count = tabs.child_element_count();
    let focused = document().active_element();
    let at = (0..count).find(|index| focused.is_some() && tabs.children().item(*index) == focused);
    let Some(at) = at else { return };
    let next = match keys::pressed(&event).as_deref() {
        Some("ArrowDown" | "ArrowRight") => (at + 1) % count,
        Some("ArrowUp" | "ArrowLeft") => (at + count - 1) % count,
        Some("Home") => 0,
        Some("End") => count - 1,
        _ => return,
    };
    event.prevent_default();
    if let Some(tab) = tabs.children().item(next).and_then(|tab| tab.dyn_into::<HtmlElement>().ok())
        && let Err(error) = tab.focus()
    {
        tracing::warn!(?error, "the tab cannot be focused");
    }
}

/// Who joined a room wants to say something next.
fn focus_message() {
    let field = document().get_element_by_id("message-input").and_then(|field| field.dyn_into::<HtmlElement>().ok());
    if let Some(field) = field {
        let _ = field.focus();
    }
}

#[component]
fn JoinForm() -> impl IntoView {
    let session = session();
    let panels = panels();
    let typed = RwSignal::new(String::new());
    let plain = RwSignal::new(false);
    let error = RwSignal::new(None::<Error>);
    let join = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let room = typed.get_untracked();
        spawn_local(async move {
            match session.join_named(room, plain.get_untracked()).await {
                Ok(()) => {
                    typed.set(String::new());
                    plain.set(false);
                    error.set(None);
                    panels.close();
                    request_animation_frame(focus_message);
                }
                Err(refused) => error.set(Some(refused)),
            }
        });
    };
    view! {
        <form class="join" on:submit=join>
            <label class="visually-hidden" for="room-input">"Join a room"</label>
            <div class="field">
                <input
                    id="room-input"
                    data-testid="room-input"
                    placeholder="Join a room"
                    dir="auto"
                    on:keydown=move |event| drop(keys::pressed(&event))
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="room-error"
                    aria-invalid=move || error.get().is_some().then_some("true")
                    prop:value=move || typed.get()
                    on:input=move |event| {
                        typed.set(event_target_value(&event));
                        error.set(None);
                    }
                />
                <button type="submit" class="button" data-testid="room-join">"Join"</button>
            </div>
            <label class="choice">
                <input
                    type="checkbox"
                    data-testid="room-plain"
                    prop:checked=move || plain.get()
                    on:change=move |event| plain.set(event_target_checked(&event))
                />
                "plain text (other programs)"
            </label>
            <div id="room-error" role="alert">
                {move || error.get().map(|error| view! { <p class="error" data-testid="error">{error.to_string()}</p> })}
            </div>
        </form>
    }
}
