//! The top line: how this node stands, and who it is.

use leptos::{ev, prelude::*, task::spawn_local};
use tincan_shared::config::MAX_NICK_BYTES;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use crate::{
    connection_status::ConnectionStatus,
    identicon::Identicon,
    keys,
    logo::Tins,
    model::Model,
    names::tidy,
    panel::{Panel, panels},
    peer_id::IdButton,
    rooms::Unread,
    roster::Roster,
    session::session,
};

#[component]
pub(crate) fn Top() -> impl IntoView {
    let model = session().model;
    let link = Memo::new(move |_| model.with(|model| ConnectionStatus::of(model).word()));
    let roster = session().roster;
    let counted = Memo::new(move |_| {
        let (listed, direct) = roster.with(Roster::counts);
        (listed + model.with(Model::unlisted), direct)
    });
    let me = Memo::new(move |_| model.with(|model| model.me));
    view! {
        <header class="top">
            <p class="brand"><Tins /><span>"Tincan"</span></p>
            <p class="status" data-link=move || link.get() role="status">
                <span class="dot" aria-hidden="true"></span>
                <span data-testid="status">{move || link.get()}</span>
            </p>
            <p class="counts">
                <span>
                    <b data-testid="peer-count">{move || counted.get().0}</b>
                    {move || if counted.get().0 == 1 { " peer" } else { " peers" }}
                </span>
                <span><b data-testid="direct-count">{move || counted.get().1}</b>" direct"</span>
            </p>
            <div class="me">
                {move || me.get().map(|peer| view! { <Identicon peer /> })}
                <Nick />
                {move || me.get().map(|peer| view! { <IdButton peer testid="peer-id" /> })}
            </div>
            <div class="panel-buttons">
                <PanelButton panel=Panel::Rooms controls="rooms" label="Rooms" />
                <PanelButton panel=Panel::People controls="people" label="People" />
            </div>
        </header>
    }
}

#[component]
fn PanelButton(panel: Panel, controls: &'static str, label: &'static str) -> impl IntoView {
    let panels = panels();
    let model = session().model;
    let unread = Memo::new(move |_| model.with(Model::unread));
    view! {
        <button
            type="button"
            class="button"
            aria-controls=controls
            aria-expanded=move || panels.is_open(panel).to_string()
            on:click=move |_| panels.toggle(panel)
        >
            {label}
            {(panel == Panel::Rooms).then(|| view! { <Unread count=unread /> })}
        </button>
    }
}

/// Click, type, Enter. Escape gives the old nick back.
#[component]
fn Nick() -> impl IntoView {
    let session = session();
    let nick = Memo::new(move |_| session.model.with(|model| model.nick.clone()));
    let typed = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    Effect::new(move || typed.set(nick.get()));

    let commit = move || {
        let wanted = tidy(&typed.get_untracked());
        if wanted == nick.get_untracked() {
            typed.set(wanted);
            error.set(None);
            return;
        }
        spawn_local(async move {
            error.set(session.set_nick(wanted).await.err().map(|error| error.to_string()));
        });
    };
    let on_key = move |event: ev::KeyboardEvent| match keys::pressed(&event).as_deref() {
        Some("Enter") => {
            event.prevent_default();
            commit();
        }
        Some("Escape") => {
            typed.set(nick.get_untracked());
            error.set(None);
        }
        _ => {}
    };
    let select = move |event: ev::FocusEvent| {
        if let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
            input.select();
        }
    };
    view! {
        <label class="nick">
            <span class="visually-hidden">"Your nick"</span>
            <input
                data-testid="nick-input"
                title="Your nick: click to change, Enter to keep"
                dir="auto"
                autocomplete="off"
                spellcheck="false"
                maxlength=MAX_NICK_BYTES.to_string()
                prop:value=move || typed.get()
                aria-invalid=move || error.get().is_some().then_some("true")
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    error.set(None);
                }
                on:keydown=on_key
                on:focus=select
                on:blur=move |_| commit()
            />
            {move || error.get().map(|error| view! { <span class="error" role="alert" data-testid="error">{error}</span> })}
        </label>
    }
}
