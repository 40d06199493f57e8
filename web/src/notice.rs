//! What a person should know about the connection, this tab and this device, in plain words.

use std::{collections::BTreeSet, time::Duration};

use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*, task::spawn_local};
use tincan_shared::{Link, clock_difference};

use crate::{app::reload, clock, connection_status::ConnectionStatus, model::Model, session::session};

#[component]
pub(crate) fn Notices() -> impl IntoView {
    view! {
        <div class="notices">
            <Connection />
            <Foreign />
            <Refused />
            <Device />
            <Warnings />
            <Tab />
        </div>
    }
}

#[component]
fn Connection() -> impl IntoView {
    let session = session();
    let connection_status = Memo::new(move |_| session.model.with(ConnectionStatus::of));
    let worth_a_word = Memo::new(move |_| connection_status.get() != ConnectionStatus::Fine);
    let can_retry = Memo::new(move |_| connection_status.with(ConnectionStatus::can_retry));
    let needs_reload = Memo::new(move |_| connection_status.with(ConnectionStatus::needs_reload));
    // The button stays where it is while the words change: who pressed it keeps the focus.
    view! {
        <div role="status">
            <Show when=move || worth_a_word.get()>
                <p class="notice" class:trouble=move || can_retry.get() || needs_reload.get() data-testid="notice">
                    {move || match connection_status.get() {
                        counting @ ConnectionStatus::Offline { retry_at_ms: Some(_), .. } => {
                            // Announced each second, the count-down would drown everything; once is enough.
                            view! { <span aria-live="off"><Countdown connection_status=counting /></span> }.into_any()
                        }
                        other => view! { <span>{other.words(clock::now_ms())}</span> }.into_any(),
                    }}
                    <Show when=move || can_retry.get()>
                        <RetryButton />
                    </Show>
                    <Show when=move || needs_reload.get()>
                        <button type="button" class="button" data-testid="reload" on:click=|_| reload()>"Reload"</button>
                    </Show>
                </p>
            </Show>
        </div>
    }
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
fn Countdown(connection_status: ConnectionStatus) -> impl IntoView {
    let now = RwSignal::new(clock::now_ms());
    let timer = set_interval_with_handle(move || now.set(clock::now_ms()), Duration::from_secs(1)).ok();
    on_cleanup(move || {
        timer.as_ref().map(IntervalHandle::clear);
    });
    move || connection_status.words(now.get())
}

/// The others in the room on the screen use another program and cannot read what is said here.
#[component]
fn Foreign() -> impl IntoView {
    let session = session();
    let put_away = RwSignal::new(BTreeSet::<String>::new());
    let room = Memo::new(move |_| {
        let foreign = |model: &Model| Some(model.current_room()?.info.clone()).filter(|info| info.foreign);
        let room = session.model.with(foreign)?.room;
        put_away.with(|away| !away.contains(&room)).then_some(room)
    });
    let join_as_plain = move |_| {
        let Some(room) = room.get_untracked() else { return };
        spawn_local(async move {
            if let Err(error) = session.join(room, true).await {
                session.model.update(|model| model.warn(error.to_string()));
            }
        });
    };
    let dismiss = move |_| {
        if let Some(room) = room.get_untracked() {
            put_away.update(|away| {
                away.insert(room);
            });
        }
    };
    view! {
        <div role="status">
            <Show when=move || room.with(Option::is_some)>
                <p class="notice trouble" data-testid="notice">
                    <span>"People here use another program and see your messages as garbage."</span>
                    <button type="button" class="button" data-testid="join-plain" on:click=join_as_plain>
                        "Join as plain text"
                    </button>
                    <button type="button" class="button plain" aria-label="Put this note away" on:click=dismiss>"×"</button>
                </p>
            </Show>
        </div>
    }
}

/// Who refused something. It stays until it is put away, and then beside the network.
#[component]
fn Refused() -> impl IntoView {
    let model = session().model;
    let refused = Memo::new(move |_| {
        model.with(|model| model.refusals.notes().map(|refusal| (refusal.peer, refusal.words())).collect::<Vec<_>>())
    });
    view! {
        <For each=move || refused.get() key=Clone::clone let((peer, note))>
            <Note note trouble=true on_dismiss=Some(Callback::new(move |_| model.update(|model| model.refusals.put_away(&peer)))) />
        </For>
    }
}

/// What is wrong with this device.
#[component]
fn Device() -> impl IntoView {
    let model = session().model;
    let clock = Memo::new(move |_| model.with(|model| model.clock_off_ms.map(clock_note)));
    let full = Memo::new(move |_| model.with(|model| (!model.stores).then(|| STORES_NO_MORE.to_owned())));
    let cleared = Memo::new(move |_| model.with(|model| model.cleared.then(|| CLEARED.to_owned())));
    view! {
        <For each=move || [clock.get(), full.get(), cleared.get()].into_iter().flatten() key=Clone::clone let(note)>
            <Note note trouble=true on_dismiss=None />
        </For>
    }
}

const STORES_NO_MORE: &str = "Your browser's storage takes no more, as when it is full: what is said from now on may \
                              be gone after a reload. What was kept before stays.";

const CLEARED: &str = "Your browser cleared this site's data while this page was open. Your key, nick, rooms and \
                       messages are stored again. To remove them, close this page before you clear the data.";

/// Ours minus the hub's, in words.
fn clock_note(off_ms: i64) -> String {
    let difference = clock_difference(off_ms);
    format!(
        "Your clock is {difference}: your lines wait, and others' are not shown, until it is right. Set the clock. If it is \
         right, the hub's is wrong."
    )
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
            <Note note trouble=false on_dismiss=None />
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
            <Note note trouble=true on_dismiss=Some(dismiss) />
        </For>
    }
}

/// A line that can be put away: for good, or by its owner.
#[component]
fn Note(note: String, trouble: bool, on_dismiss: Option<Callback<String>>) -> impl IntoView {
    let away = RwSignal::new(false);
    let dismissed = note.clone();
    let put_away = move |_| {
        away.set(true);
        if let Some(callback) = on_dismiss {
            callback.run(dismissed.clone());
        }
    };
    view! {
        <p class="notice" class:trouble=trouble class:away=move || away.get() data-testid="notice" role="status">
            {note}
            <button type="button" class="button plain" aria-label="Put this note away" on:click=put_away>"×"</button>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_wrong_clock_is_told_with_its_direction() {
        assert!(clock_note(3 * 3_600_000 + 59_000).starts_with("Your clock is 3 h 0 min ahead of the hub's: "));
        assert!(clock_note(-61 * 60_000).starts_with("Your clock is 1 h 1 min behind the hub's: "));
    }
}
