//! A whole page, without a hub: the test runner's origin is none.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;

use tincan_shared::{Event, MessageState, Said};
use tincan_wasm::{Options, Origin, PageEvents, Stage, start};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{PageTransitionEvent, PageTransitionEventInit};

wasm_bindgen_test_configure!(run_in_browser);

/// What the browser does to every page of this window that goes into its back/forward cache.
fn hide() {
    let init = PageTransitionEventInit::new();
    init.set_persisted(true);
    let event = PageTransitionEvent::new_with_event_init_dict("pagehide", &init).unwrap();
    web_sys::window().unwrap().dispatch_event(&event).unwrap();
}

async fn stopped(mut events: PageEvents) {
    while events.next().await != Event::Stopped {}
}

/// One test, as all pages of this window share its storage.
#[wasm_bindgen_test]
async fn key_and_waiting_lines_outlive_a_page_and_tabs_have_keys_of_their_own() {
    let stages = RefCell::new(Vec::new());
    let first = start(Options::default(), |stage| stages.borrow_mut().push(stage)).await.unwrap();
    assert_eq!(stages.take(), [Stage::Key, Stage::Hub]);
    assert_eq!((first.guest, first.persistent), (0, true));
    assert_eq!((&first.problem, first.host.now().origin), (&None, Origin::Silent("it says 404".into())));
    let peer = first.node.peer_id();

    first.node.join("lobby", false).await.unwrap();
    assert!(matches!(first.node.say("lobby", "anybody?").await.unwrap(), Said::Queued { .. }));
    let refused = first.node.dial("/ip4/127.0.0.1/tcp/4747").await.unwrap_err();
    assert_eq!(refused.code(), "address");
    assert!(first.node.console("HELP").await.unwrap().starts_with("words: "));

    hide();
    stopped(first.events).await;

    let again = start(Options::default(), |_| {}).await.unwrap();
    assert_eq!((again.guest, again.node.peer_id()), (0, peer));
    again.node.join("lobby", false).await.unwrap();
    let lines = again.node.messages("lobby").await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].text.as_str(), lines[0].state), ("anybody?", MessageState::Waiting));

    let unusable = vec!["no address".to_owned(), "/ip4/127.0.0.1/udp/1/quic-v1".to_owned()];
    let second = start(Options { hubs: unusable, ..Options::default() }, |_| {}).await.unwrap();
    assert_eq!(second.guest, 1);
    assert_ne!(second.node.peer_id(), peer);
    assert!(second.problem.unwrap().starts_with("?hub= is not used: no address is not an address to dial"));
    hide();
}
