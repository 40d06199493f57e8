//! What happens when the page goes away, when the browser brings it back, and when another tab needs what it keeps.

use std::{cell::RefCell, rc::Rc, time::Duration};

use js_sys::{Promise, Reflect};
use n0_future::time::timeout;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, EventTarget, PageTransitionEvent, VisibilityState};

use crate::{
    PageNode,
    election::Seat,
    host::Teller,
    storage::{Database, Unwritten},
};

/// How long the tab that needs the database waits for what is unwritten here; what is left then goes into the journal.
const LAST_WRITE_WAIT: Duration = Duration::from_secs(1);

/// Waits while the page is only loaded ahead, by a link's speculation rules or the address bar. Such a page must not take
/// a key: the tab that shows the link may have it.
pub(crate) async fn shown() {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let is_ahead = || Reflect::get(&document, &"prerendering".into()).is_ok_and(|ahead| ahead.is_truthy());
    if is_ahead() {
        let change = Promise::new(&mut |resolve, _| {
            // It fails for no known name.
            let _ = document.add_event_listener_with_callback("prerenderingchange", &resolve);
        });
        // The promise is never rejected.
        let _ = JsFuture::from(change).await;
    }
}

/// Ties the tab's seat and storage to the life of its page: the next page may have the key as soon as this one is hidden
/// for good. A page that comes back from the browser's back/forward cache starts anew, as its key may run elsewhere by
/// then.
pub(crate) fn watch(node: PageNode, stored: Option<(Database, Unwritten)>, seat: Option<Seat>, teller: Teller) {
    let Some(window) = web_sys::window() else { return };
    let (database, unwritten) = stored.unzip();
    let seat = Rc::new(RefCell::new(seat));
    if let Some((database, unwritten)) = database.zip(unwritten.clone()) {
        spawn_local(make_way(database, unwritten, node.clone(), seat.clone(), teller));
    }
    on_page_events(&window, &node, unwritten.clone(), seat);
    let Some(document) = window.document() else { return };
    // A phone may end a hidden page without another word, and a browser a frozen one.
    let keep = move || unwritten.iter().for_each(Unwritten::keep);
    let (back, hidden) = (node.clone(), document.clone());
    let kept = keep.clone();
    listen(&document, "visibilitychange", move |_| match hidden.visibility_state() {
        VisibilityState::Hidden => kept(),
        _ => go_on(&back),
    });
    listen(&document, "freeze", move |_| keep());
    listen(&document, "resume", move |_| go_on(&node));
}

fn on_page_events(
    window: &web_sys::Window,
    node: &PageNode,
    unwritten: Option<Unwritten>,
    seat: Rc<RefCell<Option<Seat>>>,
) {
    let hidden = node.clone();
    listen(window, "pagehide", move |event| {
        // Before the next page may have the seat.
        unwritten.iter().for_each(Unwritten::leave);
        seat.take();
        if persisted(&event) {
            let node = hidden.clone();
            spawn_local(async move { node.shutdown().await });
        }
    });
    let location = window.location();
    listen(window, "pageshow", move |event| {
        if persisted(&event) {
            // Reloading is all that can be done here.
            let _ = location.reload();
        }
    });
    let node = node.clone();
    listen(window, "online", move |_| go_on(&node));
}

/// The browser lets the page run again, or has a network again. Timers were late meanwhile, and whom they would have
/// dialled is dialled at once.
fn go_on(node: &PageNode) {
    let node = node.clone();
    spawn_local(async move {
        // An error means that the node has stopped.
        let _ = node.is_back().await;
    });
}

/// Another tab needs the database in another version, and waits until it is closed here. Without it this page would forget
/// everything, so it stops.
async fn make_way(
    database: Database,
    unwritten: Unwritten,
    node: PageNode,
    seat: Rc<RefCell<Option<Seat>>>,
    teller: Teller,
) {
    database.outdated().await;
    teller.outdated();
    // An error means that the browser is slow.
    let _ = timeout(LAST_WRITE_WAIT, unwritten.written()).await;
    unwritten.leave();
    database.close();
    node.shutdown().await;
    seat.take();
}

fn persisted(event: &Event) -> bool {
    event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted)
}

/// For as long as the page lives.
fn listen(target: &EventTarget, name: &str, handle: impl FnMut(Event) + 'static) {
    let handler: JsValue = Closure::<dyn FnMut(Event)>::new(handle).into_js_value();
    // It fails for no known name.
    let _ = target.add_event_listener_with_callback(name, handler.unchecked_ref());
}
