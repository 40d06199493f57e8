//! Copying to the clipboard.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlDocument, HtmlElement, HtmlTextAreaElement};

/// Copies a text and tells whether that worked.
pub(crate) async fn copy(text: &str) -> bool {
    // Pages over plain http from another host have no clipboard interface, whatever its type says.
    let navigator = window().navigator();
    let modern = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard")).is_ok_and(|value| value.is_object());
    if modern && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok() {
        return true;
    }
    by_selection(text).unwrap_or(false)
}

/// The old way: a selection that the browser is told to copy.
fn by_selection(text: &str) -> Result<bool, JsValue> {
    let document = document().unchecked_into::<HtmlDocument>();
    let focused = document.active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let area = document.create_element("textarea")?.unchecked_into::<HtmlTextAreaElement>();
    area.set_class_name("visually-hidden");
    area.set_value(text);
    document.body().ok_or(JsValue::NULL)?.append_child(&area)?;
    area.select();
    let copied = document.exec_command("copy");
    area.remove();
    if let Some(element) = focused {
        element.focus()?;
    }
    copied
}
