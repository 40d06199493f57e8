//! What a person should know about the connection, this tab and this device, in plain words.

use std::time::Duration;

use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*};
use tincan_shared::Link;

use crate::{
    clock,
    roster::{counts, roster},
    session::session,
};

#[component]
pub(crate) fn Notices() -> impl IntoView {
    view! {
        <div class="notices">
            <Connection />
            <Tab />
            <Warnings />
        </div>
    }
}

/// How the connection stands, when that is worth a word.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    Fine,
    Looking,
    TryingAgain,
    HubGone { direct: usize },
    Offline { retry_at_ms: Option<u64> },
}

#[component]
fn Connection() -> impl IntoView {
    let session = session();
    let standing = Memo::new(move |_| {
        session.model.with(|model| match model.status.link {
            Link::Connecting if model.cut_off => Standing::TryingAgain,
            Link::Connecting => Standing::Looking,
            Link::Offline => Standing::Offline { retry_at_ms: model.retry_at_ms },
            Link::Online if model.status.hub => Standing::Fine,
            Link::Online => Standing::HubGone { direct: counts(&roster(model)).1 },
        })
    });
    let worth_a_word = Memo::new(move |_| standing.get() != Standing::Fine);
    let can_retry = Memo::new(move |_| !matches!(standing.get(), Standing::Fine | Standing::Looking));
    // The button stays where it is while the words change: who pressed it keeps the focus.
    view! {
        <div role="status">
            <Show when=move || worth_a_word.get()>
                <p class="notice" data-testid="notice">
                    {move || match standing.get() {
                        Standing::Fine => ().into_any(),
                        Standing::Looking => "Looking for the hub…".into_any(),
                        Standing::TryingAgain => "Offline. Trying again now…".into_any(),
                        Standing::HubGone { direct } => hub_gone(direct).into_any(),
                        Standing::Offline { retry_at_ms } => {
                            // Announced each second, the count-down would drown everything; once is enough.
                            view! { <span aria-live="off"><Countdown retry_at_ms /></span> }.into_any()
                        }
                    }}
                    <Show when=move || can_retry.get()>
                        <RetryButton />
                    </Show>
                </p>
            </Show>
        </div>
    }
}

fn hub_gone(direct: usize) -> String {
    let people = if direct == 1 { "person" } else { "people" };
    format!("The hub is gone. You still reach {direct} {people} directly.")
}

#[component]
fn RetryButton() -> impl IntoView {
    let session = session();
    view! {
        <button type="button" class="button" data-testid="retry" on:click=move |_| session.retry()>"Retry"</button>
    }
}

/// Ticks only while it is on the screen, which is while offline.
#[component]
fn Countdown(retry_at_ms: Option<u64>) -> impl IntoView {
    let now = RwSignal::new(clock::now_ms());
    let timer = set_interval_with_handle(move || now.set(clock::now_ms()), Duration::from_secs(1)).ok();
    on_cleanup(move || {
        timer.as_ref().map(IntervalHandle::clear);
    });
    move || match retry_at_ms {
        Some(at) => format!("Offline. Trying again in {} s.", at.saturating_sub(now.get()).div_ceil(1000)),
        None => "Offline.".to_owned(),
    }
}

/// What is true of this tab.
#[component]
fn Tab() -> impl IntoView {
    let (tab, model) = (session().tab, session().model);
    let online = Memo::new(move |_| model.with(|model| model.status.link == Link::Online));
    let notes = move || {
        let tab = tab.get();
        let guest = match tab.guest {
            0 => None,
            1 => Some("Tincan is open in another tab; here you are a second guest.".to_owned()),
            n => Some(format!("Tincan is open in other tabs; here you are guest number {}.", u64::from(n) + 1)),
        };
        let forgets =
            tab.forgets.then(|| "Your browser keeps nothing here: this identity ends with the tab.".to_owned());
        // What stood in the way at the start has passed once a hub is there.
        let problem = tab.problem.as_deref().filter(|_| !online.get()).map(sentence);
        [guest, forgets, problem].into_iter().flatten().collect::<Vec<_>>()
    };
    view! {
        <For each=notes key=Clone::clone let(note)>
            <Note note on_dismiss=None />
        </For>
    }
}

/// The node writes for the middle of a terminal's line; here its words stand alone.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain((!text.ends_with('.')).then_some('.')).collect()
}

#[component]
fn Warnings() -> impl IntoView {
    let model = session().model;
    let warnings = Memo::new(move |_| model.with(|model| model.warnings.clone()));
    let dismiss = Callback::new(move |note: String| {
        model.update(|model| model.warnings.retain(|warning| *warning != note));
    });
    view! {
        <For each=move || warnings.get() key=Clone::clone let(note)>
            <Note note on_dismiss=Some(dismiss) />
        </For>
    }
}

/// A line that can be put away: for good, or by its owner.
#[component]
fn Note(note: String, on_dismiss: Option<Callback<String>>) -> impl IntoView {
    let away = RwSignal::new(false);
    let dismissed = note.clone();
    let put_away = move |_| {
        away.set(true);
        if let Some(callback) = on_dismiss {
            callback.run(dismissed.clone());
        }
    };
    view! {
        <p class="notice" class:away=move || away.get() data-testid="notice" role="status">
            {note}
            <button type="button" class="button plain" aria-label="Put this note away" on:click=put_away>"×"</button>
        </p>
    }
}
