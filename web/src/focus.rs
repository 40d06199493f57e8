//! Where the keyboard goes on when what had the focus is gone.

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Element, HtmlElement, MutationObserver, MutationObserverInit};

const CURRENT_TAB: &str = "#rooms [role=tab][aria-selected=true]";
const LEAVE: &str = "[data-testid=room-leave]";
/// The conversation can be scrolled with the keys, and no keyboard opens on a phone.
const LINES: &str = ".lines";
/// What the keyboard can reach.
const REACHABLE: &str = "a[href], button:not(:disabled), input, select, textarea, summary, [tabindex='0']";

/// The focused element and what is around it, innermost first.
type Place = Vec<Element>;

/// Wherever an element vanishes that has the focus, a button that was pressed above all, the focus goes on nearby: the
/// browser would let the next Tab begin at the top of the page. Follows the focus for as long as the page lives.
pub(crate) fn follow() {
    let place = StoredValue::new_local(Place::new());
    // Neither handle is dropped: both listen as long as the page.
    let _ = window_event_listener(ev::focusin, move |event| {
        let focused = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        place.set_value(std::iter::successors(focused, |element| element.parent_element()).collect());
    });
    let _ = window_event_listener(ev::focusout, move |_| {
        // Some browsers say this too of an element that is just being removed.
        request_animation_frame(move || {
            place.update_value(|place| {
                if place.first().is_some_and(|left| left.is_connected() && !has_focus(left)) {
                    place.clear();
                }
            });
        });
    });
    let changed = Closure::<dyn FnMut()>::new(move || {
        let is_gone = |place: &Place| place.first().is_some_and(|focused| !focused.is_connected());
        if place.with_value(is_gone) {
            go_on(&place.get_value());
        }
    });
    let options = MutationObserverInit::new();
    options.set_child_list(true);
    options.set_subtree(true);
    let observed = MutationObserver::new(changed.as_ref().unchecked_ref())
        .and_then(|observer| observer.observe_with_options(&document(), &options));
    if let Err(error) = observed {
        tracing::warn!(?error, "the browser does not tell what vanishes");
    }
    changed.forget();
}

/// From an element that vanished to what is nearest to where it was.
fn go_on(place: &Place) {
    let has_gone_on = document().active_element().is_some_and(|element| element.tag_name() != "BODY");
    // Where one goes on after leaving a room depends on what the room leaves behind.
    let is_leave = place.first().is_some_and(|gone| gone.matches(LEAVE).unwrap_or(false));
    if has_gone_on || is_leave {
        return;
    }
    let is_within = |element: &Element, selector| element.closest(selector).is_ok_and(|found| found.is_some());
    let mut around = place.iter().filter(|element| element.is_connected());
    // Beyond the part of the screen where it was, the conversation is what one is here for.
    around.any(|element| match is_within(element, LINES) || element.class_list().contains("screen") {
        true => focus(LINES),
        false => focus_within(element),
    });
}

/// Whether there was something within an element to be focused.
fn focus_within(element: &Element) -> bool {
    let Ok(found) = element.query_selector_all(REACHABLE) else { return false };
    let mut found = (0..found.length()).filter_map(|at| found.item(at)?.dyn_into::<HtmlElement>().ok());
    found.any(|next| next.offset_width() > 0 && next.focus().is_ok() && has_focus(&next))
}

fn has_focus(element: &Element) -> bool {
    document().active_element().as_ref() == Some(element)
}

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
