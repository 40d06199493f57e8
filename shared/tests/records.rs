//! Records and providers that outlast their publisher's runs and their keepers', on tokio and in a browser alike.

mod support;

use support::{DEADLINE, Home, hub, hub_in, identified, peer, platform_in};
use tincan_shared::{Config, Events, Multiaddr, Node, Surface, repl};

#[cfg(not(target_family = "wasm"))]
use tokio::test as test_here;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test_here;

#[cfg(target_family = "wasm")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// A page of this home, which nobody can dial.
fn page(home: &Home, bootstrap: &[Multiaddr]) -> (Node, Events) {
    let config = Config { bootstrap: bootstrap.to_vec(), ..Config::page() };
    Node::spawn(config, platform_in(home)).expect("a page")
}

async fn ask(node: &Node, line: &str) -> String {
    repl::answer(node, line, Surface::Screen).await.expect("an answer").line()
}

/// Asks until the answer is this one.
async fn comes(node: &Node, line: &str, answer: &str) {
    let asked = n0_future::time::timeout(DEADLINE, async {
        while ask(node, line).await != answer {
            n0_future::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    asked.await.unwrap_or_else(|_| panic!("{line} never answers {answer}"));
}

/// Somebody else at the hub finds what a page put and provides, and it is the hub that has it.
async fn found_at(address: &Multiaddr, publisher: &Node) {
    let (bob, _events) = peer(address, "bob");
    comes(&bob, "GET motto", "motto = live").await;
    comes(&bob, "GET_PROVIDERS tools", &format!("providers of tools: {}", publisher.peer_id())).await;
}

#[test_here]
async fn what_is_put_while_nobody_is_there_is_published_when_a_hub_comes() {
    let (ann, _events) = page(&Home::default(), &[]);
    assert_eq!(ask(&ann, "PUT motto live").await, "stored motto here only: no peers yet");
    assert_eq!(ask(&ann, "PUT_PROVIDER tools").await, "providing tools here only: no peers yet");
    let (_hub, _hub_events, address) = hub().await;
    ann.dial(address.clone()).await.unwrap();
    found_at(&address, &ann).await;
}

#[test_here]
async fn a_later_run_publishes_what_an_earlier_one_put() {
    let home = Home::default();
    let (ann, _events) = page(&home, &[]);
    assert_eq!(ask(&ann, "PUT motto live").await, "stored motto here only: no peers yet");
    assert_eq!(ask(&ann, "PUT_PROVIDER tools").await, "providing tools here only: no peers yet");
    ann.shutdown().await;
    let (_hub, _hub_events, address) = hub().await;
    let (ann, _events) = page(&home, std::slice::from_ref(&address));
    assert_eq!(ask(&ann, "GET motto").await, "motto = live");
    found_at(&address, &ann).await;
}

#[test_here]
async fn a_hub_that_has_nothing_yet_gets_what_its_peers_published_elsewhere() {
    let (old, _old_events, first) = hub().await;
    let (ann, mut events) = page(&Home::default(), &[first]);
    identified(&mut events, &old.peer_id()).await;
    assert_eq!(ask(&ann, "PUT motto live").await, "stored motto on 1 peers");
    assert_eq!(ask(&ann, "PUT_PROVIDER tools").await, "providing tools, told 1 peers");
    old.shutdown().await;
    let (_hub, _hub_events, second) = hub().await;
    ann.dial(second.clone()).await.unwrap();
    found_at(&second, &ann).await;
}

#[test_here]
async fn a_hub_has_others_records_and_providers_in_its_next_run() {
    let home = Home::default();
    let (old, _old_events, address) = hub_in(&home, Config::hub()).await;
    let (ann, mut events) = page(&Home::default(), &[address]);
    identified(&mut events, &old.peer_id()).await;
    assert_eq!(ask(&ann, "PUT motto live").await, "stored motto on 1 peers");
    assert_eq!(ask(&ann, "PUT_PROVIDER tools").await, "providing tools, told 1 peers");
    ann.shutdown().await;
    old.shutdown().await;
    let (_hub, _hub_events, address) = hub_in(&home, Config::hub()).await;
    found_at(&address, &ann).await;
}

#[test_here]
async fn who_comes_back_does_not_replace_a_newer_value() {
    let (hub, _hub_events, address) = hub().await;
    let home = Home::default();
    let (ann, mut events) = page(&home, std::slice::from_ref(&address));
    identified(&mut events, &hub.peer_id()).await;
    assert_eq!(ask(&ann, "PUT motto old").await, "stored motto on 1 peers");
    ann.shutdown().await;
    let (bob, mut events) = peer(&address, "bob");
    identified(&mut events, &hub.peer_id()).await;
    assert_eq!(ask(&bob, "PUT motto new").await, "stored motto on 1 peers");
    let (ann, _events) = page(&home, std::slice::from_ref(&address));
    comes(&ann, "GET motto", "motto = new").await;
    let (cat, mut events) = peer(&address, "cat");
    identified(&mut events, &hub.peer_id()).await;
    assert_eq!(ask(&cat, "GET motto").await, "motto = new");
}
