use libp2p::{identity::Keypair, swarm::ConnectionId};

use super::*;
use crate::{
    Config,
    core::{
        Input,
        test_node::{self, HUB, MEMBER, ROOM, TestNode},
    },
};

/// Somebody new who is in the room, or carries it, and has not said what it is.
fn dialled(reader: &mut TestNode) -> PeerId {
    let peer = PeerId::random();
    reader.dial(peer, "/memory/1");
    peer
}

/// Each said a millisecond after the one before, half a minute ago.
fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<Vec<u8>> {
    let author = Keypair::ed25519_from_bytes([3; 32]).unwrap();
    let line = |number| test_node::line(&author, number, Duration::from_millis(30_000 - number));
    numbers.map(line).collect()
}

#[test]
fn an_answer_that_is_merged_in_parts_is_shown_in_order_with_an_earlier_one() {
    let mut reader = TestNode::new(Config::peer());
    let hubs = [dialled(&mut reader), dialled(&mut reader)];
    hubs.iter().for_each(|hub| reader.identify(*hub, &HUB));
    reader.answer(hubs[0], lines(190..=190));
    assert!(reader.shown().is_empty(), "the other hub is still to answer");
    reader.answer(hubs[1], lines(1..=189));
    reader.merge_all();
    assert_eq!(reader.shown(), (1..=190).collect::<Vec<_>>());
}

#[test]
fn a_hub_that_is_yet_to_say_what_it_knows_is_waited_for() {
    let mut reader = TestNode::new(Config::peer());
    let hubs = [dialled(&mut reader), dialled(&mut reader)];
    reader.identify(hubs[0], &HUB);
    reader.answer(hubs[0], lines(2..=2));
    reader.merge_all();
    assert!(reader.shown().is_empty());
    reader.identify(hubs[1], &HUB);
    reader.answer(hubs[1], lines(1..=1));
    assert_eq!(reader.shown(), [1, 2]);
    // Nothing is waited for when it is gone.
    let third = dialled(&mut reader);
    reader.hear(Input::Disconnected { peer: third, connection: ConnectionId::new_unchecked(3), left: 0 });
    assert!(reader.core.syncs.unasked.is_empty());
}

#[test]
fn a_frame_is_wanted_of_one_peer_at_a_time_and_nobody_is_put_off_for_long() {
    let mut reader = TestNode::new(Config::hub());
    let [slow, quick, late] = std::array::from_fn(|_| dialled(&mut reader));
    let given = lines(1..=3);
    let have: Vec<Vec<u8>> = given.iter().map(|line| name_of(line).unwrap().prefix().to_vec()).collect();
    let question = Question { room: ROOM.to_owned(), have, ..Question::default() };
    let wants = |answer: Option<Answer>| answer.map(|answer| answer.want.len());
    assert_eq!(wants(reader.ask(slow, question.clone())), Some(3));
    assert_eq!(wants(reader.ask(quick, question.clone())), None, "they are on their way");
    // Who was asked for them hands over nothing.
    reader.now.instant += Duration::from_millis(600);
    assert_eq!(wants(reader.ask(quick, question.clone())), Some(3));
    for _ in 0..2 {
        assert_eq!(wants(reader.ask(late, question.clone())), None);
    }
    assert_eq!(wants(reader.ask(late, question.clone())), Some(3), "it was put off twice");
    let give = Question { room: ROOM.to_owned(), give: given, ..Question::default() };
    assert_eq!(reader.ask(quick, give), Some(Answer::default()));
    reader.merge_all();
    assert_eq!(wants(reader.ask(slow, question)), Some(0));
}

#[test]
fn a_hub_that_knows_nothing_of_a_room_asks_two_first() {
    let mut reader = TestNode::new(Config::hub());
    let peers: Vec<PeerId> = (0..5).map(|_| dialled(&mut reader)).collect();
    peers.iter().for_each(|peer| reader.identify(*peer, &MEMBER));
    let first = reader.asked.clone();
    assert_eq!(first.len(), 2, "{first:?}");
    reader.answer(first[0], lines(1..=9));
    reader.merge_all();
    reader.pass(Duration::from_secs(1));
    let asked: std::collections::BTreeSet<PeerId> = reader.asked.iter().copied().collect();
    assert_eq!(asked, peers.into_iter().collect());
}
