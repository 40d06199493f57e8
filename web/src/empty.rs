//! What a room says while nobody else is there, and how to invite.

use leptos::{html, prelude::*, task::spawn_local};
use tincan_shared::Link;
use tincan_wasm::Origin;

use crate::{copy::copy, logo::Tins, model::Model, names::tidy, routing, session::session};

/// The link that opens the room on the screen, at this hub. On the hub's own machine it names another address of the
/// hub, where there is one that others can reach.
pub(crate) fn invitation(model: &Model) -> String {
    let location = window().location();
    let part = |value: Result<String, _>| value.unwrap_or_default();
    let here = || format!("{}{}", part(location.origin()), part(location.pathname()));
    let elsewhere = match &model.origin {
        Origin::Answers { page: Some(page), .. } if is_this_machine() => Some(page.clone()),
        _ => None,
    };
    format!(
        "{}{}{}",
        elsewhere.unwrap_or_else(here),
        part(location.search()),
        routing::hash_of(&model.current, model.is_plain(), tidy(&model.current) != model.current)
    )
}

/// Whether the invitation leads others to their own machines.
pub(crate) fn is_for_this_machine(model: &Model) -> bool {
    is_this_machine() && !matches!(&model.origin, Origin::Answers { page: Some(_), .. })
}

fn is_this_machine() -> bool {
    window().location().hostname().is_ok_and(|host| routing::is_loopback(&host))
}

/// How the room stands when it is worth a word.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Emptiness {
    NoRoom,
    Alone { silent: bool },
    Silent,
    Lively,
}

#[component]
pub(crate) fn Alone() -> impl IntoView {
    let model = session().model;
    let emptiness = Memo::new(move |_| {
        model.with(|model| {
            let Some(room) = model.current_room() else { return Emptiness::NoRoom };
            let silent = room.lines.as_slice().is_empty();
            match (model.status.link, room.info.total) {
                (Link::Online, 0) => Emptiness::Alone { silent },
                _ if silent => Emptiness::Silent,
                _ => Emptiness::Lively,
            }
        })
    });
    move || match emptiness.get() {
        Emptiness::NoRoom => {
            view! { <div class="empty"><Tins /><p>"You are in no room. Join one to talk."</p></div> }.into_any()
        }
        Emptiness::Silent => {
            view! { <div class="empty"><Tins /><p>"Nothing has been said here yet."</p></div> }.into_any()
        }
        Emptiness::Alone { silent } => view! {
            <div class="empty" class:slim=!silent data-testid="alone">
                {silent.then(|| view! { <Tins /> })}
                <Invitation />
            </div>
        }
        .into_any(),
        Emptiness::Lively => ().into_any(),
    }
}

#[component]
fn Invitation() -> impl IntoView {
    let model = session().model;
    let field = NodeRef::<html::Input>::new();
    let only_here = Memo::new(move |_| model.with(is_for_this_machine));
    let said = RwSignal::new("Copy");
    let copy_link = move |_| {
        spawn_local(async move {
            if copy(&model.with_untracked(invitation)).await {
                said.set("Copied");
            } else if let Some(field) = field.get_untracked() {
                // Then by hand.
                field.select();
            }
        });
    };
    view! {
        <p>"Nobody else is here yet. Send them this link:"</p>
        <div class="field invitation">
            <input node_ref=field readonly data-testid="invite-link" aria-label="Link to this room" prop:value=move || model.with(invitation) on:focus=move |_| { if let Some(field) = field.get_untracked() { field.select(); } } />
            <button type="button" class="button" data-testid="invite-copy" on:click=copy_link>{move || said.get()}</button>
        </div>
        <Show when=move || only_here.get()>
            <p data-testid="only-here">
                "It works on this machine only. For others, open Tincan by an address of this machine that they can reach, and copy the link there. The hub must listen on it: see --http."
            </p>
        </Show>
    }
}
