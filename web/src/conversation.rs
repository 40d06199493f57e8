//! The room on the screen: its head, its lines, and keeping to their end.

use std::time::Duration;

use leptos::{
    ev, html,
    prelude::*,
    task::{spawn_local, tick},
};
use tincan_shared::neutralise;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::ResizeObserver;

use crate::{
    clock,
    composer::Composer,
    copy::copy,
    empty::{Alone, invitation},
    message::MessageRow,
    model::Model,
    portions::{PORTION, Step, step},
    rows::{Row, rows},
    session::session,
};

/// Pixels from the end that still count as being there.
const AT_END_WITHIN: i32 = 48;

#[component]
pub(crate) fn Conversation() -> impl IntoView {
    let model = session().model;
    let room = Memo::new(move |_| model.with(|model| model.current.clone()));
    view! {
        <main id="conversation" class="conversation" aria-label=move || format!("Conversation in {}", neutralise(&room.get(), false))>
            <Head room />
            <Lines room />
            <Composer room />
        </main>
    }
}

#[component]
fn Head(room: Memo<String>) -> impl IntoView {
    let session = session();
    let here = Memo::new(move |_| session.model.with(|model| model.current_room().map(|room| room.info.total)));
    let plain = Memo::new(move |_| session.model.with(Model::is_plain));
    let copied = RwSignal::new(false);
    let copy_link = move |_| {
        spawn_local(async move {
            copied.set(copy(&session.model.with_untracked(invitation)).await);
        });
    };
    Effect::new(move || {
        room.track();
        copied.set(false);
    });
    let leave = move |_| {
        let room = room.get_untracked();
        spawn_local(async move {
            if let Err(error) = session.leave(room).await {
                session.model.update(|model| model.warn(error.to_string()));
            }
        });
    };
    view! {
        <div class="head">
            <div class="title">
                <h1 dir="auto">{move || match neutralise(&room.get(), false) {
                    none if none.is_empty() => "No room".to_owned(),
                    name => name,
                }}</h1>
                {move || here.get().map(|others| view! {
                    <p class="here">{match others {
                        0 => "only you".to_owned(),
                        n => format!("{n} and you"),
                    }}</p>
                })}
            </div>
            {move || here.get().map(|_| view! {
                <button type="button" class="button plain" on:click=copy_link>
                    {move || if copied.get() { "Link copied" } else { "Copy link" }}
                </button>
                <button type="button" class="button plain" data-testid="room-leave" on:click=leave>"Leave"</button>
            })}
            {move || plain.get().then(|| view! { <p class="here kind">"plain text, for another program"</p> })}
        </div>
    }
}

#[component]
fn Lines(room: Memo<String>) -> impl IntoView {
    let model = session().model;
    let changed = Memo::new(move |_| {
        model.with(|model| {
            let room = model.current_room();
            room.map(|room| (room.info.room.clone(), room.lines.revision(), model.me, model.is_plain()))
        })
    });
    // Made anew when the lines changed, and then surely another: comparing all their text would cost more.
    let rows = Memo::new_with_compare(
        move |_| {
            changed.with(|_| ());
            model.with_untracked(|model| {
                let lines = model.current_room().map(|room| room.lines.as_slice()).unwrap_or_default();
                rows(lines, model.me, model.is_plain(), clock::day)
            })
        },
        |_, _| true,
    );
    let list = NodeRef::<html::Div>::new();
    let at_end = StoredValue::new(true);
    let unseen = RwSignal::new(0_usize);

    let to_end = move || {
        at_end.set_value(true);
        unseen.set(0);
        if let Some(list) = list.get_untracked() {
            list.set_scroll_top(list.scroll_height());
        }
    };
    let on_scroll = move |_: ev::Event| {
        let Some(list) = list.get_untracked() else { return };
        let near = list.scroll_height() - list.scroll_top() - list.client_height() <= AT_END_WITHIN;
        at_end.set_value(near);
        if near && unseen.get_untracked() > 0 {
            unseen.set(0);
        }
    };

    // After the rows: along when at the end, after opening a room, or after saying something.
    Effect::new(move |before: Option<(String, u64)>| {
        let room = room.get();
        let (last, arrived, said) = rows.with(|rows| {
            let seen = before.as_ref().map_or(0, |(_, last)| *last);
            let new = |row: &&Row| row.line.key > seen && row.line.fresh;
            let last = rows.iter().map(|row| row.line.key).max().unwrap_or(0);
            let arrived = rows.iter().filter(new).filter(|row| !row.own).count();
            (last, arrived, rows.iter().filter(new).any(|row| row.own))
        });
        let opened = before.is_none_or(|(earlier, _)| earlier != room);
        if opened || said || at_end.get_value() {
            unseen.set(0);
            at_end.set_value(true);
            request_animation_frame(to_end);
        } else if arrived > 0 {
            unseen.update(|count| *count += arrived);
        }
        (room, last)
    });
    let drawn = RwSignal::new(Vec::<Row>::new());
    let next_step = Trigger::new();
    let spent = StoredValue::new(0);
    Effect::new(move |before: Option<String>| {
        next_step.track();
        let room = room.get();
        let same_room = before.is_some_and(|before| before == room);
        let budget = PORTION.saturating_sub(spent.get_value());
        let Step { rows, cost, left } = rows.with(|rows| {
            drawn.with_untracked(|drawn| step(rows, if same_room { drawn.as_slice() } else { &[] }, budget))
        });
        drawn.set(rows);
        if left && cost < budget {
            spent.update_value(|spent| *spent += cost);
            spawn_local(async move {
                // Until this step is in the page.
                tick().await;
                next_step.notify();
            });
        } else {
            spent.set_value(0);
            if left {
                set_timeout(move || next_step.notify(), Duration::ZERO);
            }
        }
        if at_end.get_value() {
            request_animation_frame(to_end);
        }
        room
    });
    keep_to_end_when_resized(list, at_end);

    view! {
        <div class="lines-holder">
            <div class="lines" node_ref=list on:scroll=on_scroll tabindex="0" role="region" aria-label="Lines">
                <ol>
                    <For each=move || drawn.get() key=Row::key let(row)>
                        <MessageRow row />
                    </For>
                </ol>
                <Alone />
            </div>
            {move || match unseen.get() {
                0 => None,
                n => Some(view! {
                    <button type="button" class="button unseen" data-testid="unseen" on:click=move |_| to_end()>
                        {format!("{n} new")}
                    </button>
                }),
            }}
        </div>
    }
}

/// A keyboard that opens, or a text that grows, must not cover the last line.
fn keep_to_end_when_resized(list: NodeRef<html::Div>, at_end: StoredValue<bool>) {
    Effect::new(move || {
        let Some(element) = list.get() else { return };
        let observed = element.clone();
        let resized = Closure::<dyn FnMut()>::new(move || {
            if at_end.try_get_value() == Some(true) {
                element.set_scroll_top(element.scroll_height());
            }
        });
        match ResizeObserver::new(resized.as_ref().unchecked_ref()) {
            Ok(observer) => observer.observe(&observed),
            Err(error) => tracing::warn!(?error, "the browser does not tell about sizes"),
        }
        // Lives as long as the page: the list is mounted once.
        resized.forget();
    });
}
