//! Slots held as Web Locks. Called by name: web-sys has them among its unstable bindings only.

use std::time::Duration;

use js_sys::{Function, Object, Promise, Reflect};
use n0_future::time::timeout;
use tokio::sync::oneshot;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{ANSWER_WAIT, Claim, Hold};

/// Takes the lock if it is free, or gets free within the patience.
pub(super) async fn claim(name: &str, patience: Option<Duration>) -> Claim {
    let (reply, answer) = oneshot::channel();
    if let Err(reason) = request(name, patience.is_none(), reply) {
        return Claim::Unusable(reason);
    }
    match timeout(patience.unwrap_or(ANSWER_WAIT), answer).await {
        Ok(Ok(claim)) => claim,
        Ok(Err(_)) => Claim::Unusable("the browser refuses Web Locks here".into()),
        Err(_) => Claim::Taken,
    }
}

fn request(name: &str, only_if_free: bool, reply: oneshot::Sender<Claim>) -> Result<(), String> {
    let locks = manager().ok_or("there are no Web Locks here")?;
    let request: Function = member(&locks, "request").ok_or("there are no Web Locks here")?;
    let options = Object::new();
    // An object that was just made takes any member.
    let _ = Reflect::set(&options, &"ifAvailable".into(), &only_if_free.into());
    let granted = Closure::once_into_js(move |lock: JsValue| -> JsValue { on_answer(&lock, reply) });
    let promise = request
        .call3(&locks, &name.into(), &options, &granted)
        .map_err(|error| format!("the browser refuses Web Locks: {error:?}"))?;
    spawn_local(async move {
        // A refusal drops the callback, and with it the reply.
        if let Err(error) = JsFuture::from(Promise::resolve(&promise)).await {
            tracing::debug!("Web Locks: {error:?}");
        }
    });
    Ok(())
}

/// The browser holds the lock until the promise that is given back here resolves.
fn on_answer(lock: &JsValue, reply: oneshot::Sender<Claim>) -> JsValue {
    if lock.is_null() || lock.is_undefined() {
        let _ = reply.send(Claim::Taken);
        return JsValue::UNDEFINED;
    }
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    let hold = Hold::new(move || {
        if let Some(release) = release {
            // Resolving a promise cannot fail.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    });
    // When nobody waits any more the hold is dropped here, which releases the lock.
    let _ = reply.send(Claim::Held(hold));
    held.into()
}

fn manager() -> Option<JsValue> {
    let navigator = web_sys::window()?.navigator();
    Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)
}

fn member<T: JsCast>(object: &JsValue, name: &str) -> Option<T> {
    Reflect::get(object, &name.into()).ok()?.dyn_into().ok()
}
