//! Asks the browser to keep this site's data when it runs out of room, once somebody has said something.

use js_sys::{Function, Promise, Reflect};
use leptos::{prelude::window, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::keep::{Keep, What};

/// What is kept once the browser was asked.
const ASKED: &str = "asked";

/// Asks once: some browsers pass the question on to the person.
pub(crate) fn ask_once(keep: Keep) {
    if !keep.keeps() || keep.get(What::AskedToPersist).is_some() {
        return;
    }
    keep.set(What::AskedToPersist, ASKED);
    spawn_local(async {
        match ask().await {
            Ok(kept) => tracing::debug!(?kept, "asked the browser to keep this site's data"),
            Err(error) => tracing::debug!(?error, "the browser cannot be asked to keep this site's data"),
        }
    });
}

/// Pages over plain http from another host have no `navigator.storage`.
async fn ask() -> Result<JsValue, JsValue> {
    let storage = Reflect::get(&window().navigator(), &"storage".into())?;
    let persist: Function = Reflect::get(&storage, &"persist".into())?.dyn_into()?;
    JsFuture::from(Promise::resolve(&persist.call0(&storage)?)).await
}
