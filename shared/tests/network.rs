//! Whole nodes over the memory transport: the same tests on tokio and in a browser.

mod support;

use support::{hub, hub_joined_to, hub_with, identified, line, members, peer, until};
use tincan_shared::{Event, MessageState, Node, Said, Surface, repl};
#[cfg(not(target_family = "wasm"))]
use {std::collections::BTreeMap, tincan_shared::PeerId};

#[cfg(not(target_family = "wasm"))]
use tokio::test as test_here;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test_here;

#[cfg(target_family = "wasm")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

async fn answer(node: &Node, line: &str) -> String {
    repl::answer(node, line, Surface::Screen).await.expect("a line that is answered").line()
}

#[test_here]
async fn peers_that_know_only_a_hub_see_each_other_and_chat() {
    let (_hub, _events, address) = hub().await;
    let [(ann, mut ann_hears), (bob, mut bob_hears)] = two_in_the_attic(&address, &address).await;
    for n in 0..20 {
        assert!(matches!(ann.say("attic", format!("line {n}")).await, Ok(Said::Sent { members: 1, .. })));
    }
    for n in 0..20 {
        assert_eq!(line(&mut bob_hears).await, format!("line {n}"));
    }
    bob.shutdown().await;
    members(&mut ann_hears, "attic", 0).await;
}

#[test_here]
async fn a_line_said_alone_waits_and_a_latecomer_gets_what_was_said() {
    let (_hub, _events, address) = hub().await;
    let (ann, mut ann_hears) = peer(&address, "ann");
    ann.join("attic", false).await.unwrap();
    assert!(matches!(ann.say("attic", "anybody?").await, Ok(Said::Queued { .. })));
    let (bob, mut bob_hears) = peer(&address, "bob");
    bob.join("attic", false).await.unwrap();
    assert_eq!(line(&mut bob_hears).await, "anybody?");
    let sent = until(&mut ann_hears, |event| match event {
        Event::Sent { message, .. } => Some(message),
        _ => None,
    })
    .await;
    assert_eq!(sent.state, MessageState::Sent);
    let (cat, mut cat_hears) = peer(&address, "cat");
    cat.join("attic", false).await.unwrap();
    assert_eq!(line(&mut cat_hears).await, "anybody?");
    members(&mut cat_hears, "attic", 2).await;
}

/// As when a resolver panics: the dial's task is gone, and nobody says so.
#[cfg(not(target_family = "wasm"))]
#[tokio::test(start_paused = true)]
async fn a_dial_whose_task_died_is_told_and_tried_again() {
    use tincan_shared::{Config, Error};

    let (_hub, _events, address) = hub().await;
    let config = Config { bootstrap: vec![address.clone()], ..Config::page() };
    let (node, mut hears) = Node::spawn(config, support::panicking_at_first(2)).expect("a peer");
    let asked = node.dial(address.clone()).await;
    assert!(matches!(&asked, Err(Error::Dial { reason, .. }) if reason.contains("without a result")), "{asked:?}");
    let mut told = false;
    until(&mut hears, |event| match event {
        Event::Unreachable { address: unreached, reason } => {
            assert!(unreached == address && reason.contains("without a result"), "{unreached}: {reason}");
            told = true;
            None
        }
        Event::PeerUp(_) => Some(()),
        _ => None,
    })
    .await;
    assert!(told, "nobody said why the hub was not reached");
}

#[test_here]
async fn two_hubs_are_one_network() {
    let (_one, _events, first) = hub().await;
    let (_two, _more, second) = hub_joined_to(vec![first.clone()]).await;
    let [(ann, mut ann_hears), (bob, mut bob_hears)] = two_in_the_attic(&first, &second).await;
    ann.say("attic", "across").await.unwrap();
    assert_eq!(line(&mut bob_hears).await, "across");
    bob.say("attic", "and back").await.unwrap();
    assert_eq!(line(&mut ann_hears).await, "and back");
}

#[test_here]
async fn who_leaves_and_comes_back_gets_the_next_line_at_once() {
    let (_hub, _events, address) = hub().await;
    let [(ann, mut ann_hears), (bob, mut bob_hears)] = two_in_the_attic(&address, &address).await;
    for round in 0..4 {
        ann.leave("attic").await.unwrap();
        if round % 2 == 1 {
            members(&mut bob_hears, "attic", 0).await;
        }
        ann.join("attic", false).await.unwrap();
        bob.say("attic", format!("round {round}")).await.unwrap();
        let heard = n0_future::time::timeout(std::time::Duration::from_secs(1), async {
            while line(&mut ann_hears).await != format!("round {round}") {}
        });
        heard.await.unwrap_or_else(|_| panic!("round {round}: not within a second"));
    }
}

#[test_here]
async fn who_comes_back_does_not_see_those_who_left_meanwhile() {
    let (_hub, _events, address) = hub().await;
    let [(ann, mut ann_hears), (bob, _bob_hears)] = two_in_the_attic(&address, &address).await;
    ann.join("hall", false).await.unwrap();
    ann.leave("attic").await.unwrap();
    bob.leave("attic").await.unwrap();
    // By then the hub has heard what Ann asks about, and she what became of the attic.
    bob.join("hall", false).await.unwrap();
    members(&mut ann_hears, "hall", 1).await;
    ann.join("attic", false).await.unwrap();
    until(&mut ann_hears, |event| match event {
        Event::Room(info) if info.room == "attic" => (info.total == 0).then_some(()),
        _ => None,
    })
    .await;
}

#[test_here]
async fn a_hub_says_why_it_does_not_carry_a_room() {
    let mut config = tincan_shared::Config::hub();
    config.limits.carried_rooms_per_peer = 1;
    let (_hub, _events, address) = hub_with(config).await;
    let (ann, mut ann_hears) = peer(&address, "ann");
    ann.join("first", false).await.unwrap();
    ann.join("second", false).await.unwrap();
    let reason = until(&mut ann_hears, |event| match event {
        Event::Refused { reason, closes, .. } => Some((reason, closes)),
        _ => None,
    });
    let (reason, closes) = reason.await;
    assert!(reason.contains("carries 1 rooms for one peer"));
    assert!(!closes, "it goes on with the others");
}

#[test_here]
async fn where_lines_wait_in_as_many_rooms_as_are_kept_the_error_names_one() {
    let home = support::Home::default();
    let mut config = tincan_shared::Config::peer();
    config.limits.joined_rooms = 64;
    let start = |config| tincan_shared::Node::spawn(config, support::platform_in(&home)).expect("a node").0;
    let node = start(config.clone());
    for n in 0..64 {
        let room = format!("room{n:02}");
        node.join(room.as_str(), false).await.expect("joined");
        node.say(room, "to nobody").await.expect("it waits");
    }
    node.shutdown().await;
    config.rejoin = false;
    let node = start(config);
    let error = node.join("lobby", false).await.expect_err("there is no place");
    assert!(error.to_string().contains("--room room00"), "{error}");
    node.join("room00", false).await.expect("it is kept");
    node.leave("room00").await.expect("left");
    node.join("lobby", false).await.expect("now there is a place");
}

#[test_here]
async fn the_console_puts_and_gets() {
    let (hub, _events, address) = hub().await;
    let (alone, _) = alone();
    assert_eq!(answer(&alone, "PUT k v w").await, "stored k here only: no peers yet");
    assert_eq!(answer(&alone, "get k").await, "k = v w");
    assert_eq!(answer(&alone, "PUT_PROVIDER k").await, "providing k here only: no peers yet");
    assert_eq!(answer(&alone, "GET_PROVIDERS k").await, format!("providers of k: {}", alone.peer_id()));
    assert_eq!(answer(&alone, "GET nothing").await, "not found: nothing");
    assert_eq!(answer(&alone, "GET_PROVIDERS nothing").await, "no providers: nothing");

    let (ann, mut ann_hears) = peer(&address, "ann");
    identified(&mut ann_hears, &hub.peer_id()).await;
    assert_eq!(answer(&ann, "PUT k v w").await, "stored k on 1 peer");
    assert_eq!(answer(&ann, "PUT_PROVIDER k").await, "providing k, told 1 peer");
    let (bob, mut bob_hears) = peer(&address, "bob");
    identified(&mut bob_hears, &hub.peer_id()).await;
    assert_eq!(answer(&bob, "GET k").await, "k = v w");
    assert_eq!(answer(&bob, "GET_PROVIDERS k").await, format!("providers of k: {}", ann.peer_id()));
    let huge = format!("PUT k {}", "x".repeat(1 << 20));
    assert!(repl::answer(&bob, &huge, Surface::Screen).await.unwrap_err().to_string().contains("8192"));
}

/// More than are told of by gossip: the hub hands over who they are.
#[cfg(not(target_family = "wasm"))]
#[tokio::test]
async fn in_a_large_room_the_nicks_of_those_listed_are_known_and_so_are_new_ones() {
    const CROWD: usize = 60;
    const LISTED: usize = 50;
    let (_hub, _events, address) = hub().await;
    let mut crowd = Vec::new();
    for n in 0..CROWD {
        let (node, hears) = peer(&address, &format!("peer{n}"));
        node.join("attic", false).await.unwrap();
        crowd.push((node, hears));
    }
    let nicks: BTreeMap<PeerId, usize> = crowd.iter().enumerate().map(|(n, (node, _))| (node.peer_id(), n)).collect();
    for (_, hears) in &mut crowd {
        until(hears, |event| match event {
            Event::Room(info) if info.room == "attic" && info.total as usize == CROWD - 1 => {
                let nick = |peer: &PeerId| format!("peer{}", nicks[peer]);
                let named = info.members.iter().filter(|member| member.nick == Some(nick(&member.peer)));
                (named.count() >= LISTED).then_some(())
            }
            _ => None,
        })
        .await;
    }
    // The first of all is listed everywhere.
    let (first, n) = nicks.first_key_value().expect("a crowd");
    crowd[*n].0.set_nick("renamed").await.unwrap();
    for (node, hears) in crowd.iter_mut().filter(|(node, _)| node.peer_id() != *first) {
        until(hears, |event| match event {
            Event::Room(info) if info.room == "attic" => {
                let member = info.members.iter().find(|member| member.peer == *first)?;
                (member.nick.as_deref() == Some("renamed")).then_some(())
            }
            _ => None,
        })
        .await;
        node.shutdown().await;
    }
}

/// Ann at one hub and Bob at another, or the same; each lists the other.
async fn two_in_the_attic(
    anns: &tincan_shared::Multiaddr,
    bobs: &tincan_shared::Multiaddr,
) -> [(tincan_shared::Node, tincan_shared::Events); 2] {
    let mut two = [peer(anns, "ann"), peer(bobs, "bob")];
    for (node, _) in &two {
        node.join("attic", false).await.expect("joined");
    }
    for (_, events) in &mut two {
        members(events, "attic", 1).await;
    }
    two
}

fn alone() -> (tincan_shared::Node, tincan_shared::Events) {
    tincan_shared::Node::spawn(tincan_shared::Config::peer(), support::platform()).expect("a node")
}
