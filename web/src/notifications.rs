//! Notifications about messages that arrive while the page is hidden, one for each room. A button turns them on.

use std::{collections::HashMap, time::Duration};

use js_sys::{Array, Function, Reflect};
use leptos::{
    prelude::{Notify as _, *},
    task::spawn_local,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use crate::{
    clock,
    keep::What,
    pace::{Due, Pace},
    session::{Session, session},
    unseen_messages::UnseenMessage,
};

/// What is kept where notifications are wanted.
const WANTED: &str = "yes";

/// Whether the page may show notifications, and does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotificationState {
    /// Not in this browser, or not here: why.
    Impossible(&'static str),
    Off,
    On,
    /// The person, or the browser for them, said no.
    Denied,
}

const NO_INTERFACE: &str = "This browser offers pages no notifications.";
const INSECURE: &str = "Browsers show notifications only for pages opened by https, or on the hub's own machine.";
const NOT_FROM_PAGES: &str = "This browser shows notifications only for installed apps.";

impl NotificationState {
    /// The current state, without asking for permission.
    fn now(session: Session) -> Self {
        // Undefined in some browsers, whatever its type says.
        if !Reflect::get(&window(), &"Notification".into()).is_ok_and(|found| found.is_function()) {
            return Self::Impossible(if window().is_secure_context() { NO_INTERFACE } else { INSECURE });
        }
        if !window().is_secure_context() {
            return Self::Impossible(INSECURE);
        }
        match Notification::permission() {
            NotificationPermission::Denied => Self::Denied,
            NotificationPermission::Granted if session.keep().get(What::Notify).as_deref() == Some(WANTED) => Self::On,
            _ => Self::Off,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Impossible(why) => why,
            Self::Off => "Off. Turned on, you are told of new lines while this page is hidden.",
            Self::On => "On: you are told of new lines while this page is hidden.",
            Self::Denied => {
                "Your browser blocks notifications from this page. Allow them in its settings for this site, then reload."
            }
        }
    }
}

/// Notifications that are on the screen, by room. Dropped, one could not be clicked any more.
type Open = HashMap<String, (Notification, Closure<dyn FnMut()>)>;

/// Shows a notification for what nobody sees, for as long as the page lives.
pub(crate) fn follow(session: Session) -> RwSignal<NotificationState> {
    let state = RwSignal::new(NotificationState::now(session));
    let open = StoredValue::new_local(Open::new());
    let unseen_messages = Memo::new(move |_| session.model.with(|model| model.unseen_messages.so_far()));
    let visible = Memo::new(move |_| session.model.with(|model| model.visible));
    let pace = StoredValue::new(Pace::default());
    let due = Trigger::new();
    let waits = StoredValue::new(false);
    Effect::new(move || {
        unseen_messages.track();
        due.track();
        let wanted = state.get() == NotificationState::On && !visible.get();
        let told = session.model.with_untracked(|model| {
            pace.try_update_value(|pace| {
                if wanted {
                    return pace.due(&model.unseen_messages, clock::now_ms());
                }
                pace.seen(&model.unseen_messages);
                Due::default()
            })
        });
        let Due { now, next_ms } = told.unwrap_or_default();
        for (new, lines) in now {
            show(session, state, open, new, lines);
        }
        if let Some(wait) = next_ms.filter(|_| !waits.get_value()) {
            waits.set_value(true);
            set_timeout(
                move || {
                    waits.set_value(false);
                    due.notify();
                },
                Duration::from_millis(wait),
            );
        }
    });
    Effect::new(move || {
        if visible.get() {
            // Whoever looks needs them no more.
            open.update_value(|open| open.drain().for_each(|(_, (notification, _))| notification.close()));
        }
    });
    let cleared = Memo::new(move |_| session.model.with(|model| model.cleared));
    Effect::new(move || {
        if cleared.get() && state.get_untracked() == NotificationState::On {
            session.keep().set(What::Notify, WANTED);
        }
    });
    state
}

/// Shows the last of so many lines of a room.
fn show(
    session: Session,
    state: RwSignal<NotificationState>,
    open: StoredValue<Open, LocalStorage>,
    new: UnseenMessage,
    lines: u64,
) {
    let UnseenMessage { room, who, text, .. } = new;
    let options = NotificationOptions::new();
    let named = tincan_shared::neutralise(&room, false);
    let (title, body) = match lines {
        0 | 1 => (format!("{who} in {named}"), text),
        n => (format!("{n} new lines in {named}"), format!("{who}: {text}")),
    };
    options.set_body(&body);
    // One a room: the next takes its place.
    options.set_tag(&format!("tincan {room}"));
    let Ok(notification) = Notification::new_with_options(&title, &options) else {
        state.set(NotificationState::Impossible(NOT_FROM_PAGES));
        return;
    };
    let (clicked, opened) = (notification.clone(), room.clone());
    let on_click = Closure::<dyn FnMut()>::new(move || {
        clicked.close();
        // It fails for no page of a person's own.
        let _ = window().focus();
        session.model.update(|model| {
            if model.room(&opened).is_some() {
                model.open(&opened, clock::now_ms());
            }
        });
    });
    notification.set_onclick(Some(on_click.as_ref().unchecked_ref()));
    open.update_value(|open| {
        open.insert(room, (notification, on_click));
    });
}

/// Asks the browser, which asks the person.
async fn turn_on(session: Session, state: RwSignal<NotificationState>) {
    // Chrome on Android has the interface and refuses to use it; found out before anybody is asked.
    if Notification::permission() == NotificationPermission::Default && constructs().is_err() {
        state.set(NotificationState::Impossible(NOT_FROM_PAGES));
        return;
    }
    let asked = match Notification::request_permission() {
        Ok(asked) => JsFuture::from(asked).await,
        Err(error) => Err(error),
    };
    if let Err(error) = asked {
        tracing::warn!(?error, "the browser does not ask for notifications");
    }
    session.keep().set(What::Notify, WANTED);
    state.set(match Notification::permission() {
        NotificationPermission::Granted => NotificationState::On,
        NotificationPermission::Denied => NotificationState::Denied,
        _ => NotificationState::Off,
    });
}

/// Whether one can be made at all. Without permission it is not shown.
fn constructs() -> Result<JsValue, JsValue> {
    let constructor: Function = Reflect::get(&window(), &"Notification".into())?.dyn_into()?;
    Reflect::construct(&constructor, &Array::of1(&"Tincan".into()))
}

/// The way to turn them on and off.
#[component]
pub(crate) fn Notifications(state: RwSignal<NotificationState>) -> impl IntoView {
    let session = session();
    let can_turn = Memo::new(move |_| matches!(state.get(), NotificationState::On | NotificationState::Off));
    let turn = move |_| {
        if state.get_untracked() == NotificationState::On {
            session.keep().set(What::Notify, "");
            state.set(NotificationState::Off);
        } else {
            spawn_local(turn_on(session, state));
        }
    };
    view! {
        <p class="said" role="status" data-testid="notify-state">{move || state.get().words()}</p>
        <Show when=move || can_turn.get()>
            <button type="button" class="button" data-testid="notify-toggle" on:click=turn>
                {move || if state.get() == NotificationState::On { "Turn notifications off" } else { "Turn notifications on" }}
            </button>
        </Show>
    }
}
