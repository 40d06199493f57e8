//! Slots held as open databases, for pages without Web Locks.
//!
//! A browser upgrades a database only after every other connection to it has closed, and closes a
//! tab's connections when the tab ends, however it ends. So: whoever upgrades a slot's database and
//! keeps it open holds the slot; whoever is blocked finds it taken.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use n0_future::time::timeout;
use tokio::sync::oneshot;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{DomException, Event, IdbDatabase, IdbFactory, IdbOpenDbRequest};

use super::{ANSWER_WAIT, Claim, Hold};

/// How often a slot is tried anew because its version was behind.
const MAX_TRIES: u32 = 3;
/// Random bits below a version's milliseconds, so that no two tabs ask for the same one.
const RANDOM_STEPS: f64 = 1024.0;

enum Answer {
    Upgraded(IdbDatabase),
    /// Somebody has it open at this very version.
    Shared,
    Blocked,
    /// It has a later version: the clock went back.
    Behind,
    Failed(String),
}

/// Takes the slot if it is free, or gets free within the patience.
pub(super) async fn claim(name: &str, patience: Option<Duration>) -> Claim {
    let Some(Ok(Some(factory))) = web_sys::window().map(|window| window.indexed_db()) else {
        return Claim::Unusable("there is no IndexedDB here".into());
    };
    let mut version = (js_sys::Date::now() * RANDOM_STEPS + js_sys::Math::random() * RANDOM_STEPS).floor();
    for _ in 0..MAX_TRIES {
        match ask(&factory, name, Some(version), patience).await {
            Some(Answer::Upgraded(database)) => return Claim::Held(Hold::new(move || database.close())),
            // Silence too: a holder that sleeps still holds.
            Some(Answer::Shared | Answer::Blocked) | None => return Claim::Taken,
            Some(Answer::Failed(reason)) => return Claim::Unusable(reason),
            Some(Answer::Behind) => {}
        }
        match ask(&factory, name, None, patience).await {
            Some(Answer::Upgraded(database)) => {
                version = database.version() + 1.0;
                database.close();
            }
            Some(Answer::Failed(reason)) => return Claim::Unusable(reason),
            _ => return Claim::Taken,
        }
    }
    Claim::Taken
}

/// Opens the database; nothing when the browser has not answered in time.
async fn ask(factory: &IdbFactory, name: &str, version: Option<f64>, patience: Option<Duration>) -> Option<Answer> {
    let opened = match version {
        Some(version) => factory.open_with_f64(name, version),
        None => factory.open(name),
    };
    let request = match opened {
        Ok(request) => request,
        Err(error) => return Some(Answer::Failed(format!("IndexedDB refuses: {error:?}"))),
    };
    let (reply, answer) = oneshot::channel();
    listen(&request, version.is_some(), patience.is_some(), reply);
    timeout(patience.unwrap_or(ANSWER_WAIT), answer).await.ok()?.ok()
}

/// Answers once. The request cannot be taken back: a database that opens when nobody waits any more
/// is closed at once.
fn listen(request: &IdbOpenDbRequest, exclusive: bool, patient: bool, reply: oneshot::Sender<Answer>) {
    let reply = Rc::new(RefCell::new(Some(reply)));
    let send = move |answer| {
        let unheard = match reply.borrow_mut().take() {
            Some(reply) => reply.send(answer).err(),
            None => Some(answer),
        };
        if let Some(Answer::Upgraded(database)) = unheard {
            database.close();
        }
    };
    let upgraded = Rc::new(Cell::new(!exclusive));

    let on_upgrade = {
        let upgraded = upgraded.clone();
        move |_: Event| upgraded.set(true)
    };
    let on_success = {
        let (request, send) = (request.clone(), send.clone());
        move |_: Event| {
            let Some(database) = request.result().ok().and_then(|result| result.dyn_into::<IdbDatabase>().ok()) else {
                return;
            };
            if upgraded.get() {
                send(Answer::Upgraded(database));
            } else {
                database.close();
                send(Answer::Shared);
            }
        }
    };
    let on_error = {
        let (request, send) = (request.clone(), send.clone());
        move |event: Event| {
            event.prevent_default();
            send(failure(request.error().ok().flatten()));
        }
    };
    request.set_onupgradeneeded(Some(&handler(on_upgrade)));
    request.set_onsuccess(Some(&handler(on_success)));
    request.set_onerror(Some(&handler(on_error)));
    if !patient {
        request.set_onblocked(Some(&handler(move |_| send(Answer::Blocked))));
    }
}

fn failure(error: Option<DomException>) -> Answer {
    match error {
        Some(error) if error.name() == "VersionError" => Answer::Behind,
        Some(error) => Answer::Failed(format!("IndexedDB fails: {}", error.message())),
        None => Answer::Failed("IndexedDB fails".into()),
    }
}

/// Lives as long as the browser needs it.
fn handler(handle: impl FnMut(Event) + 'static) -> js_sys::Function {
    Closure::<dyn FnMut(Event)>::new(handle).into_js_value().unchecked_into()
}
