//! One line of chat.

use leptos::prelude::*;
use tincan_shared::{Message, MessageState, config::DEFAULT_NICK, is_blank, neutralise, short_id, short_name};

use crate::{
    clock,
    fold::{Foldable, is_tall},
    identicon::Identicon,
    links::{Part, parts},
    lookalikes::LookAlike,
    mute::MuteButton,
    rows::Row,
    session::session,
    unstored::UnstoredMark,
};

#[component]
pub(crate) fn MessageRow(row: Row) -> impl IntoView {
    let Row { line, own, head: first, new_day, plain_room, first_new, muted, arrives } = row;
    let (key, message) = (line.key, line.message);
    let state = match message.state {
        MessageState::Waiting => "waiting",
        MessageState::Sent => "sent",
        MessageState::Received => "received",
    };
    let waiting = message.state == MessageState::Waiting;
    let unstored = own.then(|| session().unstored.of(&message.id)).flatten();
    let is_unstored = unstored.clone();
    let (tall, said) = (is_tall(&message.text), text(&message));
    view! {
        {new_day.then(|| view! {
            <li class="day" data-testid="day"><time datetime=clock::machine(message.time_ms)>{clock::date(message.time_ms)}</time></li>
        })}
        {first_new.then(|| view! { <li class="news" data-testid="new-since"><span>"new since you were here"</span></li> })}
        <li
            class="line"
            class:first=first
            class:own=own
            class:arrived=arrives
            class:muted=muted
            data-testid="message"
            data-line=key.to_string()
            data-from=message.from.to_string()
            data-state=state
            data-plain=message.plain
            data-newer=message.newer
            data-unstored=move || is_unstored.as_ref().is_some_and(|unstored| unstored.get())
            data-claimed=message.claimed_source.clone()
        >
            {first.then(|| view! { <Heading message=Message::clone(&message) line=key own plain_room /> })}
            <div class="body">
                <Foldable tall>{said}</Foldable>
                {waiting.then(|| view! { <span class="mark waiting">"waiting"</span> })}
                {unstored.map(|unstored| view! { <UnstoredMark unstored /> })}
                {(!first).then(|| view! { <Time unix_ms=message.time_ms /> })}
            </div>
        </li>
    }
}

/// Who speaks.
#[component]
fn Heading(message: Message, line: u64, own: bool, plain_room: bool) -> impl IntoView {
    view! {
        <div class="heading">
            <Identicon peer=message.from />
            <span class="nick" dir="auto">{speaker(&message, plain_room)}</span>
            {own.then(|| view! { <span class="you">"you"</span> })}
            {(!message.nick.is_empty() && message.claimed_source.is_none() && !message.plain)
                .then(|| view! { <LookAlike peer=message.from nick=Some(message.nick.clone()) /> })}
            <span class="short" title=message.from.to_string()>{format!("…{}", short_id(&message.from))}</span>
            <Time unix_ms=message.time_ms />
            {(!own).then(|| view! { <MuteButton peer=message.from nick=message.nick.clone() line /> })}
            // Lines that are marked and lines that are not never share a heading.
            {message.newer.then(|| view! { <span class="mark">"from a newer Tincan"</span> })}
            {(message.plain != plain_room && !message.newer)
                .then(|| oddity(&message, own))
                .map(|(mark, why)| view! { <span class="mark" title=why>{mark}</span> })}
            {message.claimed_source.clone().map(|source| view! {
                <span class="mark" title=format!("The bridge says that {source} said this. Nobody can check that.")>
                    "not verified"
                </span>
            })}
        </div>
    }
}

/// What to say of a line that is not as the others of its room: text in a room of frames, or a frame in a room of text.
fn oddity(message: &Message, own: bool) -> (&'static str, &'static str) {
    match (message.plain, own) {
        (true, false) => ("from another program", "Plain text, not signed by Tincan."),
        (true, true) => ("plain text", "Not signed by Tincan."),
        (false, _) => ("only for Tincan", "People here who use another program see this as garbage."),
    }
}

/// The author's nick as it is shown: other programs have none, and some of ours chose none. Of a bridged line, whom
/// the bridge names.
pub(crate) fn speaker(message: &Message, plain_room: bool) -> String {
    match (&message.claimed_source, message.nick.as_str()) {
        (Some(source), _) => format!("…{} via bridge", short_name(source)),
        (None, "") if message.plain && !plain_room => "unsigned".to_owned(),
        (None, "") => DEFAULT_NICK.to_owned(),
        (None, nick) if is_blank(nick) => format!("…{}", short_id(&message.from)),
        (None, nick) => neutralise(nick, false),
    }
}

#[component]
fn Time(unix_ms: u64) -> impl IntoView {
    view! { <time class="time" datetime=clock::machine(unix_ms) title=clock::full(unix_ms)>{clock::time(unix_ms)}</time> }
}

/// The text as text nodes and links, never as markup.
fn text(message: &Message) -> impl IntoView + use<> {
    if message.newer && message.text.is_empty() {
        return vec!["A line this Tincan is too old to show.".to_owned().into_any()];
    }
    let text = neutralise(&message.text, true);
    parts(&text)
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => text.to_owned().into_any(),
            Part::Link(link) => {
                let (link, href) = (link.to_owned(), link.to_owned());
                view! { <a href=href target="_blank" rel="noopener noreferrer">{link}</a> }.into_any()
            }
        })
        .collect()
}
