//! The room on the screen: its head, its lines, and keeping to their end.

use std::time::Duration;

use leptos::{ev, prelude::*, task::spawn_local};
use tincan_shared::neutralise;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::ResizeObserver;

use crate::{
    arrivals::Arrivals,
    clock,
    composer::Composer,
    copy::copy,
    empty::{Alone, invitation, is_for_this_machine},
    focus,
    lines::Line,
    model::Model,
    mute::{MuteStop, MutedNote},
    portions::{Step, step},
    row_list::RowList,
    rows::{Row, rows},
    scroll::Scroll,
    session::session,
};

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
    let only_here = Memo::new(move |_| session.model.with(is_for_this_machine));
    let leaving = StoredValue::new(None::<String>);
    let leave = move |_| {
        let room = room.get_untracked();
        leaving.set_value(Some(room.clone()));
        spawn_local(async move {
            if let Err(error) = session.leave(room).await {
                session.model.update(|model| model.warn(error.to_string()));
            }
        });
    };
    Effect::new(move |before: Option<String>| {
        let now = room.get();
        // The room on the screen is the one that was left no more: what stands there now is where people go on.
        if before.is_some_and(|before| before != now && leaving.get_value().as_ref() == Some(&before)) {
            leaving.set_value(None);
            request_animation_frame(focus::after_leaving);
        }
        now
    });
    let in_room = Memo::new(move |_| here.get().is_some());
    view! {
        <div class="head">
            <div class="title">
                <h1 dir="auto" tabindex="-1">{move || match neutralise(&room.get(), false) {
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
            // Not made anew when somebody comes or goes: who stands on a button stays there.
            <Show when=move || in_room.get()>
                <button type="button" class="button plain" data-testid="copy-link" on:click=copy_link>
                    {move || match (copied.get(), only_here.get()) {
                        (false, _) => "Copy link",
                        (true, false) => "Link copied",
                        (true, true) => "Copied, for this machine only",
                    }}
                </button>
                <button type="button" class="button plain" data-testid="room-leave" on:click=leave>"Leave"</button>
            </Show>
            {move || plain.get().then(|| view! { <p class="here kind">"plain text, for another program"</p> })}
        </div>
    }
}

/// What the list of lines was last brought to.
struct Shown {
    room: String,
    /// The newest line.
    last: u64,
    /// The line above which "new since you were here" stood when the page was last visible.
    first_new: Option<u64>,
    /// Whether the page was visible.
    visible: bool,
}

#[component]
fn Lines(room: Memo<String>) -> impl IntoView {
    let model = session().model;
    let show_muted = RwSignal::new(false);
    let changed = Memo::new(move |_| {
        model.with(|model| {
            let room = model.current_room()?;
            let lines = (room.info.room.clone(), room.lines.revision(), room.reading.new_lines().cloned());
            Some((lines, model.me, model.is_plain(), model.muted.clone()))
        })
    });
    let arrivals = StoredValue::new(Arrivals::default());
    // Made anew when the lines changed, and then surely another: comparing all their text would cost more.
    let rows = Memo::new_with_compare(
        move |_| {
            changed.with(|_| ());
            let show_muted = show_muted.get();
            model.with_untracked(|model| {
                let lines = model.current_room().map(|room| room.lines.as_slice()).unwrap_or_default();
                let hide = |line: &Line| !show_muted && model.muted.contains(&line.message.from);
                let lines: Vec<Line> = lines.iter().filter(|line| !hide(line)).cloned().collect();
                let first_new = model.first_new(|line| !hide(line));
                let mut rows = rows(&lines, model.me, model.is_plain(), clock::day);
                for row in &mut rows {
                    row.first_new = first_new == Some(row.line.key);
                    row.head |= row.first_new;
                    row.muted = model.muted.contains(&row.line.message.from);
                }
                arrivals.update_value(|arrivals| arrivals.mark(&model.current, &mut rows));
                rows
            })
        },
        |_, _| true,
    );
    let mute_stop = MuteStop::new(rows);
    provide_context(mute_stop);
    let visible = Memo::new(move |_| model.with(|model| model.visible));
    let scroll = Scroll::new();
    let drawn = RwSignal::new(Vec::<Row>::new());
    let on_scroll = move |_: ev::Event| {
        let room = drawn.with_untracked(|rows| rows.first().map(|row| row.line.message.room.clone()));
        // Rows of a room that was just left may still stand there.
        scroll.moved(room.filter(|room| model.with_untracked(|model| model.room(room).is_some())));
    };
    // Before a room is opened, below.
    let rooms = Memo::new(move |_| model.with(|model| model.people_revision));
    Effect::new(move || {
        rooms.track();
        model.with_untracked(|model| scroll.keep_places(|room| model.room(room).is_some()));
    });

    // After the rows: where the list is to stand.
    Effect::new(move |before: Option<Shown>| {
        let (room, visible) = (room.get(), visible.get());
        let shown = rows.with(|rows| {
            let seen = before.as_ref().map_or(0, |before| before.last);
            let new = |row: &&Row| row.line.key > seen && row.line.fresh;
            let last = rows.iter().map(|row| row.line.key).max().unwrap_or(0);
            let arrived = rows.iter().filter(new).filter(|row| !row.own).count();
            let said = rows.iter().filter(new).any(|row| row.own);
            let news = rows.iter().skip_while(|row| !row.first_new);
            let first_new = news.clone().next().map(|row| row.line.key);
            let news = news.filter(|row| !row.own).count();
            let earlier = before.as_ref().filter(|before| before.room == room);
            match (earlier, first_new) {
                (None, _) => scroll.open(&room, first_new, news),
                _ if said => scroll.to_end(),
                // They came while nobody looked. A mark that merely moves before a reader's eyes moves the list nowhere.
                (Some(earlier), Some(key))
                    if visible
                        && earlier.first_new != first_new
                        && (earlier.first_new.is_none() || !earlier.visible)
                        && scroll.is_at_end() =>
                {
                    scroll.to_news(key, news);
                }
                _ if scroll.is_at_end() => scroll.to_end(),
                _ if arrived > 0 => scroll.unseen.update(|count| *count += arrived),
                _ => {}
            }
            let first_new = if visible { first_new } else { earlier.and_then(|earlier| earlier.first_new) };
            Shown { room, last, first_new, visible }
        });
        scroll.follow_soon();
        shown
    });
    let next_step = Trigger::new();
    // Whether a step comes by itself: one at a time, however often the rows change meanwhile.
    let is_due = StoredValue::new(false);
    Effect::new(move |before: Option<String>| {
        next_step.track();
        let room = room.get();
        let same_room = before.is_some_and(|before| before == room);
        let Step { rows, left } =
            rows.with(|rows| drawn.with_untracked(|drawn| step(rows, if same_room { drawn.as_slice() } else { &[] })));
        drawn.set(rows);
        if left && !is_due.get_value() {
            is_due.set_value(true);
            set_timeout(
                move || {
                    is_due.set_value(false);
                    next_step.notify();
                },
                Duration::ZERO,
            );
        }
        scroll.drawn(left);
        room
    });
    follow_when_resized(scroll);
    Effect::new(move || {
        room.track();
        show_muted.set(false);
    });

    view! {
        <MutedNote room shown=show_muted />
        <div class="lines-holder">
            <div
                class="lines"
                node_ref=scroll.list
                on:scroll=on_scroll
                on:wheel=move |_| scroll.taken_over()
                on:touchmove=move |_| scroll.taken_over()
                on:keydown=move |event| {
                    mute_stop.pressed(&event);
                    scroll.taken_over();
                }
                tabindex="0"
                role="region"
                aria-label="Lines"
            >
                <RowList rows=drawn />
                <Alone />
            </div>
            {move || match scroll.unseen.get() {
                0 => None,
                n => Some(view! {
                    <button
                        type="button"
                        class="button unseen"
                        data-testid="unseen"
                        on:click=move |_| {
                            scroll.to_end();
                            scroll.follow();
                        }
                    >
                        {format!("{n} new")}
                    </button>
                }),
            }}
        </div>
    }
}

/// A keyboard that opens, or a text that grows, must not cover the last line.
fn follow_when_resized(scroll: Scroll) {
    Effect::new(move || {
        let Some(list) = scroll.list.get() else { return };
        let resized = Closure::<dyn FnMut()>::new(move || {
            if scroll.is_at_end() {
                scroll.follow();
            }
        });
        match ResizeObserver::new(resized.as_ref().unchecked_ref()) {
            Ok(observer) => observer.observe(&list),
            Err(error) => tracing::warn!(?error, "the browser does not tell about sizes"),
        }
        // Lives as long as the page: the list is mounted once.
        resized.forget();
    });
}
