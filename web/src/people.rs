//! Who is there, and how each is reached.

use leptos::prelude::*;
use tincan_shared::{Path, PeerId};

use crate::{
    clock,
    direct::DirectChoice,
    identicon::Identicon,
    lookalikes::LookAlike,
    mute::MuteButton,
    peer_id::IdButton,
    roster::{Person, Roster},
    session::session,
};

#[component]
pub(crate) fn People() -> impl IntoView {
    let model = session().model;
    let everybody = session().roster;
    let ids = move |hubs: bool| Memo::new(move |_| everybody.with(|roster| roster.listed(hubs)));
    let refusals = Memo::new(move |_| {
        model.with(|model| model.refusals.iter().map(|refusal| (refusal.at_ms, refusal.words())).collect::<Vec<_>>())
    });
    let (people, hubs) = (ids(false), ids(true));
    let unlisted = Memo::new(move |_| {
        let unnamed = model.with(|model| {
            let Some(room) = model.current_room() else { return 0 };
            (room.info.total as usize).saturating_sub(room.info.members.len())
        });
        unnamed + people.with(|(_, more)| *more)
    });
    view! {
        <section aria-labelledby="people-title">
            <h2 id="people-title">"People"</h2>
            <DirectChoice />
            <Show when=move || people.with(|(listed, _)| listed.is_empty())>
                <p class="nobody">"Nobody but you."</p>
            </Show>
            <ul class="peers">
                <For each=move || people.get().0 key=|peer| *peer let(peer)>
                    <PersonRow peer everybody />
                </For>
            </ul>
            {move || match unlisted.get() {
                0 => None,
                n => Some(view! { <p class="nobody">{format!("and {n} more in this room")}</p> }),
            }}
        </section>
        <section aria-labelledby="network-title">
            <h2 id="network-title">"Network"</h2>
            <Show when=move || hubs.with(|(listed, _)| listed.is_empty())>
                <p class="nobody">"No hub."</p>
            </Show>
            <ul class="peers">
                <For each=move || hubs.get().0 key=|peer| *peer let(peer)>
                    <PersonRow peer everybody />
                </For>
            </ul>
            <ul class="refusals">
                <For each=move || refusals.get() key=Clone::clone let((at_ms, words))>
                    <li data-testid="refusal">
                        <time datetime=clock::machine(at_ms) title=clock::full(at_ms)>{clock::time(at_ms)}</time>
                        " "
                        {words}
                    </li>
                </For>
            </ul>
        </section>
    }
}

/// One peer. The row stays while its numbers change, so that focus and selection stay too.
#[component]
fn PersonRow(peer: PeerId, everybody: Memo<Roster>) -> impl IntoView {
    let person = Memo::new(move |_| everybody.with(|roster| roster.person(&peer).cloned()));
    let of = move |read: fn(&Person) -> String| move || person.with(|person| person.as_ref().map(read));
    let is = move |read: fn(&Person) -> bool| move || person.with(|person| person.as_ref().is_some_and(read));
    view! {
        <li
            class="peer"
            class:elsewhere=is(|person| !person.here && !person.hub)
            data-testid="peer-row"
            data-peer=peer.to_string()
            data-path=of(|person| person.path_word().to_owned())
            data-transport=of(|person| person.transport.clone())
            data-hub=is(|person| person.hub)
        >
            <Identicon peer />
            <div class="who">
                <span class="nick" dir="auto">{of(name)}</span>
                {move || person.with(|person| person.as_ref().filter(|person| !person.hub).map(name)).map(|nick| view! {
                    <MuteButton peer nick />
                })}
                <IdButton peer />
            </div>
            <p class="how">
                <LookAlike peer nick=Signal::derive(move || person.with(|person| person.as_ref()?.nick.clone())) />
                <span class="path" class:direct=is(|person| person.path == Path::Direct)>{of(|person| person.path_word().to_owned())}</span>
                <span>{of(|person| person.transport.clone())}</span>
                {move || person.with(|person| person.as_ref().and_then(|person| person.rtt_us)).map(|us| view! {
                    <span title="Round-trip time">{clock::rtt(us)}</span>
                })}
                {move || person.with(|person| person.as_ref().and_then(|person| person.since_ms)).map(|ms| view! {
                    <span title=clock::full(ms)>{format!("since {}", clock::time(ms))}</span>
                })}
            </p>
        </li>
    }
}

fn name(person: &Person) -> String {
    match &person.nick {
        Some(nick) => nick.clone(),
        None if person.hub => "hub".to_owned(),
        None => "peer".to_owned(),
    }
}
