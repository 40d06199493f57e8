//! Muting somebody, seeing that their lines are hidden, and undoing it.

use leptos::{ev, prelude::*};
use tincan_shared::{PeerId, neutralise, short_id};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::{keys, rows::Row, session::session};

/// The buttons beside lines, and the list that these are in.
const IN_LINE: &str = ".mute.in-line";
const LIST: &str = ".lines";

/// Which of the mute buttons beside lines the Tab key stops at: one of them, so that the way to the composer stays short.
/// The arrow keys go from one to the next.
#[derive(Clone, Copy)]
pub(crate) struct MuteStop {
    chosen: RwSignal<Option<u64>>,
    /// Tells the two buttons alone that the stop leaves and comes to.
    stop: StoredValue<Selector<Option<u64>>>,
}

impl MuteStop {
    /// At the button that was last gone to, else at that of the last line.
    pub(crate) fn new(rows: Memo<Vec<Row>>) -> Self {
        let chosen = RwSignal::new(None);
        let stop = Memo::new(move |_| {
            let chosen = chosen.get();
            rows.with(|rows| {
                let mut lines = rows.iter().rev().filter(|row| row.head && !row.own).map(|row| row.line.key);
                let last = lines.clone().next();
                lines.find(|line| Some(*line) == chosen).or(last)
            })
        });
        Self { chosen, stop: StoredValue::new(Selector::new(move || stop.get())) }
    }

    /// Goes on to the button above or below. True when the key was one that does.
    pub(crate) fn pressed(self, event: &ev::KeyboardEvent) -> bool {
        let Some(button) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
            return false;
        };
        let Some(list) =
            button.matches(IN_LINE).ok().and_then(|is_one| is_one.then(|| button.closest(LIST).ok()?)?)
        else {
            return false;
        };
        let Ok(buttons) = list.query_selector_all(IN_LINE) else { return false };
        let buttons: Vec<HtmlElement> =
            (0..buttons.length()).filter_map(|at| buttons.item(at)?.dyn_into().ok()).collect();
        let Some(at) = buttons.iter().position(|other| *other == button) else { return false };
        let next = match keys::pressed(event).as_deref() {
            Some("ArrowUp") => at.saturating_sub(1),
            Some("ArrowDown") => (at + 1).min(buttons.len() - 1),
            Some("Home") => 0,
            Some("End") => buttons.len() - 1,
            _ => return false,
        };
        event.prevent_default();
        let line = buttons[next].closest("[data-line]").ok().flatten().and_then(|line| line.get_attribute("data-line"));
        self.chosen.set(line.and_then(|line| line.parse().ok()));
        // Focusing brings it onto the screen.
        buttons[next].focus().is_ok()
    }
}

/// Mutes somebody, or undoes it. Beside a line with `line`, which names that line.
#[component]
pub(crate) fn MuteButton(peer: PeerId, nick: String, #[prop(optional)] line: Option<u64>) -> impl IntoView {
    let session = session();
    let muted = Memo::new(move |_| session.muted.with(|muted| muted.contains(&peer)));
    let name = format!("{} …{}", neutralise(&nick, false), short_id(&peer));
    let toggle = move |_| session.mute(peer, (!muted.get_untracked()).then_some(nick.as_str()));
    let stop = line.and_then(|_| use_context::<MuteStop>());
    if let Some(MuteStop { stop, .. }) = stop {
        on_cleanup(move || stop.with_value(|stop| stop.remove(&line)));
    }
    let tabindex =
        move || stop.map(|MuteStop { stop, .. }| if stop.with_value(|stop| stop.selected(&line)) { "0" } else { "-1" });
    view! {
        <button
            type="button"
            class="button plain mute"
            class:in-line=line.is_some()
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
    let muted = session().muted;
    view! {
        <Show
            when=move || muted.with(|muted| muted.iter().next().is_some())
            fallback=|| view! { <p class="nobody">"You have muted nobody. Mute somebody beside their name."</p> }
        >
            <ul class="muted-list">
                <For each=move || muted.with(|muted| muted.iter().cloned().collect::<Vec<_>>()) key=|(peer, _)| *peer let((peer, nick))>
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
