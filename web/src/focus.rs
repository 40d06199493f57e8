//! Where the keyboard goes on when what had the focus is gone.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

const CURRENT_TAB: &str = "#rooms [role=tab][aria-selected=true]";

/// After a room was left: to the tab of the room that took its place, else to where one joins another. On narrow screens
/// both are folded away; there it is the name of the room, or the button that unfolds them. Who has gone elsewhere in the
/// meantime stays there.
pub(crate) fn after_leaving() {
    let focused = document().active_element();
    let moved = focused.is_some_and(|element| {
        element.tag_name() != "BODY" && element.get_attribute("data-testid").as_deref() != Some("room-leave")
    });
    if !moved {
        let places = match find(CURRENT_TAB) {
            Some(_) => [CURRENT_TAB, "#conversation h1"],
            None => ["#room-input", "[aria-controls=rooms]"],
        };
        places.into_iter().any(focus);
    }
}

/// Whether there was such an element to be seen.
fn focus(selector: &str) -> bool {
    let visible = |element: &HtmlElement| element.offset_width() > 0;
    find(selector).filter(visible).is_some_and(|element| element.focus().is_ok())
}

fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}
