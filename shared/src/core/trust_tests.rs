//! What this node believes of whom, and what it lets whom do.

use libp2p::{gossipsub::MessageId, identity::Keypair};

use super::{
    test_node::{MEMBER, ROOM, TestNode, line},
    *,
};
use crate::{
    Event,
    command::Command,
    hub::wire::{FromHub, Reason, TWIN},
};

/// More than twice what one peer may hand over at once.
const FLOOD: u64 = 8_300;

#[test]
fn a_hub_that_nobody_chose_is_asked_last_and_gives_no_receipts() {
    let mut node = TestNode::new(Config::peer());
    let strangers: Vec<PeerId> = (0..5).map(|n| node.hub(&format!("/ip4/192.0.2.{n}/tcp/1"))).collect();
    assert!(node.core.receivers(ROOM).is_empty(), "nobody's word counts");
    let member = node.member();
    assert_eq!(node.core.those_there(ROOM)[0], member);
    assert_eq!(node.core.receivers(ROOM), [member]);
    // Of all, the one that would come last by its id.
    let chosen = strangers.into_iter().max().unwrap();
    node.choose(chosen);
    assert_eq!(node.core.those_there(ROOM)[0], chosen);
    assert_eq!(node.core.receivers(ROOM), [chosen]);
}

#[test]
fn only_a_chosen_hub_is_believed_that_the_key_runs_twice() {
    let mut node = TestNode::new(Config::peer());
    let reason = Some(Reason { code: TWIN.to_owned(), text: "a stranger's words".to_owned() });
    let message = FromHub { reason, ..FromHub::default() };
    let hub = node.hub("/ip4/192.0.2.1/tcp/1");
    let alarms = |node: &TestNode| node.events.iter().filter(|event| matches!(event, Event::RunsElsewhere)).count();
    let shown = |node: &TestNode| node.events.iter().filter(|event| matches!(event, Event::Refused { .. })).count();
    node.told(hub, message.clone());
    assert_eq!((alarms(&node), shown(&node)), (0, 0));
    node.choose(hub);
    node.told(hub, message);
    assert_eq!((alarms(&node), shown(&node)), (1, 1));
}

#[test]
fn hubs_of_one_address_that_come_by_themselves_leave_places_for_others() {
    let mut node = TestNode::new(Config::peer());
    for port in 1..40 {
        node.hub(&format!("/ip4/192.0.2.1/tcp/{port}"));
    }
    let other = node.hub("/ip4/192.0.2.2/tcp/1");
    assert_eq!(node.opened.len(), 3);
    assert_eq!(node.opened[2].0, other);
}

/// Hands this author's lines over by gossip. Returns how many offences were counted.
fn gossip(node: &mut TestNode, from: PeerId, author: &Keypair) -> u64 {
    for number in 1..=FLOOD {
        node.hear(Input::Gossip(Payload {
            id: MessageId::new(&number.to_be_bytes()),
            room: ROOM.to_owned(),
            from,
            source: Some(from),
            number,
            bytes: line(author, number, Duration::ZERO),
        }));
    }
    assert!(node.core.counters.payloads_over_budget > 0);
    node.core.counters.offences
}

#[test]
fn who_floods_is_blamed_and_who_hands_over_a_flood_is_not() {
    let author = Keypair::generate_ed25519();
    let mut node = TestNode::new(Config::hub());
    // As a hub does with what a sync brought it.
    let hub = node.hub("/ip4/192.0.2.1/tcp/1");
    assert_eq!(gossip(&mut node, hub, &author), 0);
    let mut node = TestNode::new(Config::hub());
    let flooder = node.connect(author.public().to_peer_id(), "/ip4/192.0.2.1/tcp/1", &MEMBER);
    assert!(gossip(&mut node, flooder, &author) > 0);
}

#[test]
fn what_syncs_hand_over_costs_the_same_budget() {
    let author = Keypair::generate_ed25519();
    let mut node = TestNode::new(Config::hub());
    let peer = node.member();
    for part in 0..FLOOD / 1000 {
        let number = |number| part * 1000 + number;
        node.answer(peer, (1..=1000).map(|n| line(&author, number(n), Duration::ZERO)).collect());
    }
    assert!(node.core.counters.payloads_over_budget >= FLOOD / 1000 * 1000 - 4_097);
    assert_eq!(node.core.counters.offences, 0);
}

#[test]
fn whoever_may_no_longer_connect_directly_is_closed_and_offers_are_for_rooms_that_agreed() {
    let mut node = TestNode::new(Config::peer());
    node.core.arrange_directly();
    let offer = |node: &mut TestNode, peer| {
        let offer = tincan_webrtc::signalling::OfferId::new(1);
        let outputs = node.core.handle(Input::Offered { peer, offer }, node.now);
        outputs.into_iter().any(|output| matches!(output, Output::AnswerOffer { is_taken: true, .. }))
    };
    let member = node.member();
    assert!(!offer(&mut node, member), "nobody has agreed");
    let set = |node: &mut TestNode, direct| {
        let (reply, _done) = tokio::sync::oneshot::channel();
        let command = Command::SetDirect { room: ROOM.to_owned(), direct, reply };
        node.core.handle(Input::Command(command), node.now)
    };
    set(&mut node, true);
    assert!(offer(&mut node, member) && !offer(&mut node, PeerId::random()), "members alone");
    let arranged = node.connect(PeerId::random(), "/webrtc", &MEMBER);
    assert!(node.core.peers.get(&arranged).is_some());
    let closed = |outputs: Vec<Output>| outputs.iter().filter(|output| matches!(output, Output::Close(_))).count();
    assert_eq!(closed(set(&mut node, false)), 1);
}
