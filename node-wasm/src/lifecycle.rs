//! What happens when the page goes away, and when the browser brings it back.

use wasm_bindgen::{JsCast, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, PageTransitionEvent};

use crate::{PageNode, election::Seat};

/// Ties the tab's seat to the life of its page: the next page may have the key as soon as this one
/// is hidden for good. A page that comes back from the browser's back/forward cache starts anew, as
/// its key may run elsewhere by then.
pub(crate) fn watch(node: PageNode, seat: Option<Seat>) {
    let mut seat = seat;
    let hidden = node.clone();
    listen("pagehide", move |event| {
        drop(seat.take());
        if persisted(&event) {
            let node = hidden.clone();
            spawn_local(async move { node.shutdown().await });
        }
    });
    listen("pageshow", |event| {
        if let (true, Some(window)) = (persisted(&event), web_sys::window()) {
            // Reloading is all that can be done here.
            let _ = window.location().reload();
        }
    });
    listen("online", move |_| {
        let node = node.clone();
        spawn_local(async move {
            // An error means that the node has stopped.
            let _ = node.back_online().await;
        });
    });
}

fn persisted(event: &Event) -> bool {
    event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted)
}

/// For as long as the page lives.
fn listen(name: &str, handle: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handle).into_js_value();
    if let Some(window) = web_sys::window() {
        // It fails for no known name.
        let _ = window.add_event_listener_with_callback(name, handler.unchecked_ref());
    }
}
