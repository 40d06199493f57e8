//! Muting somebody, seeing that their lines are hidden, and undoing it.

use leptos::prelude::*;
use tincan_shared::{PeerId, neutralise, short_id};

use crate::session::session;

/// Mutes somebody, or undoes it.
#[component]
pub(crate) fn MuteButton(peer: PeerId, nick: String, #[prop(optional)] in_line: bool) -> impl IntoView {
    let session = session();
    let muted = Memo::new(move |_| session.model.with(|model| model.muted.contains(&peer)));
    let name = format!("{} …{}", neutralise(&nick, false), short_id(&peer));
    let toggle = move |_| session.mute(peer, (!muted.get_untracked()).then_some(nick.as_str()));
    // Beside each heading it would be a stop of the Tab key for each: the list of people has it for the keyboard.
    let tabindex = in_line.then_some("-1");
    view! {
        <button
            type="button"
            class="button plain mute"
            class:in-line=in_line
            data-testid="mute"
            tabindex=tabindex
            aria-label=move || if muted.get() { format!("Unmute {name}") } else { format!("Mute {name}") }
            title="Hides this peer's lines in this browser. They are not told."
            on:click=toggle
        >
            {move || if muted.get() { "Unmute" } else { "Mute" }}
        </button>
    }
}

/// Says that lines are hidden in the room on the screen, and shows them on demand.
#[component]
pub(crate) fn MutedNote(room: Memo<String>, shown: RwSignal<bool>) -> impl IntoView {
    let model = session().model;
    let hidden = Memo::new(move |_| {
        room.track();
        model.with(|model| {
            let Some(room) = model.current_room().filter(|_| model.muted.iter().next().is_some()) else { return 0 };
            room.lines.as_slice().iter().filter(|line| model.muted.contains(&line.message.from)).count()
        })
    });
    let words = move || {
        let lines = match hidden.get() {
            1 => "1 line is".to_owned(),
            n => format!("{n} lines are"),
        };
        if shown.get() {
            "Lines of people you muted are shown.".to_owned()
        } else {
            format!("{lines} hidden: you muted who said so.")
        }
    };
    view! {
        <Show when=move || { hidden.get() > 0 }>
            <p class="muted-note" data-testid="muted-note">
                <span>{words}</span>
                <button type="button" class="button plain" data-testid="muted-show" on:click=move |_| shown.update(|shown| *shown = !*shown)>
                    {move || if shown.get() { "Hide" } else { "Show" }}
                </button>
            </p>
        </Show>
    }
}

/// Everybody who is muted, each with the way back.
#[component]
pub(crate) fn MutedList() -> impl IntoView {
    let model = session().model;
    let muted = Memo::new(move |_| model.with(|model| model.muted.iter().cloned().collect::<Vec<_>>()));
    view! {
        <Show
            when=move || muted.with(|muted| !muted.is_empty())
            fallback=|| view! { <p class="nobody">"You have muted nobody. Mute somebody beside their name."</p> }
        >
            <ul class="muted-list">
                <For each=move || muted.get() key=|(peer, _)| *peer let((peer, nick))>
                    <li data-testid="muted-row" data-peer=peer.to_string()>
                        <span class="nick" dir="auto">{neutralise(&nick, false)}</span>
                        <span class="short">{format!("…{}", short_id(&peer))}</span>
                        <MuteButton peer nick />
                    </li>
                </For>
            </ul>
        </Show>
    }
}
