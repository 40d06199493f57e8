use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::sample::{message, peer};

fn room(name: &str) -> RoomInfo {
    RoomInfo {
        room: name.into(),
        plain: false,
        foreign: false,
        direct: false,
        members: Vec::new(),
        total: 0,
        waiting: 0,
    }
}

#[test]
fn a_new_room_asks_for_its_lines_once() {
    let mut model = Model::default();
    assert_eq!(model.apply(Event::Room(room("lobby")), 0), Some(Ask::Lines("lobby".into())));
    assert_eq!(model.apply(Event::Room(room("lobby")), 0), None);
    assert_eq!(model.apply(Event::Lagged { missed: 1 }, 0), Some(Ask::Everything));
}

#[test]
fn lines_of_other_rooms_count_as_unread_until_opened() {
    let mut model = Model::default();
    model.apply(Event::Room(room("lobby")), 0);
    model.open("elsewhere", 0);
    for id in ["a", "a", "b"] {
        model.apply(Event::Message(message(id, peer(1), 1, 0)), 0);
    }
    assert_eq!(model.room("lobby").map(|room| room.reading.unread()), Some(2));
    assert!(model.heard.is_empty());
    model.open("lobby", 0);
    assert_eq!(model.room("lobby").map(|room| room.reading.unread()), Some(0));
    model.apply(Event::Message(message("c", peer(1), 1, 0)), 0);
    assert_eq!(model.heard.back().map(|(_, said)| said.as_str()), Some("ann: c"));
}

#[test]
fn leaving_the_room_on_the_screen_opens_another() {
    let mut model = Model::default();
    model.set_rooms(vec![room("a"), room("b")], 0);
    model.open("b", 0);
    model.apply(Event::Left { room: "b".into() }, 0);
    assert_eq!(model.current, "a");
    model.set_rooms(Vec::new(), 0);
    assert_eq!(model.current, "");
}

#[test]
fn the_next_attempt_is_a_point_in_time() {
    let mut model = Model::default();
    model.apply(Event::Status(Status { link: Link::Offline, hub: false, retry_in_ms: Some(5_000) }), 1_000);
    assert_eq!(model.retry_at_ms, Some(6_000));
    let status = |link| Event::Status(Status { link, hub: false, retry_in_ms: None });
    model.apply(status(Link::Connecting), 6_000);
    assert!(model.cut_off, "an attempt is not yet a connection");
    model.apply(status(Link::Online), 6_000);
    assert!(!model.cut_off);
}

#[test]
fn warnings_are_bounded() {
    let mut model = Model::default();
    for n in 0..10 {
        model.warn(n.to_string());
    }
    assert_eq!(model.warnings.len(), MAX_WARNINGS);
}

#[test]
fn lines_count_as_unread_in_the_room_on_the_screen_while_the_page_is_hidden() {
    let mut model = Model::default();
    model.apply(Event::Room(room("lobby")), 0);
    model.open("lobby", 0);
    model.apply(Event::Message(message("seen", peer(1), 1, 0)), 1);
    assert_eq!((model.unread(), model.first_new(|_| true), model.unseen_messages.so_far()), (0, None, 0));
    model.set_visible(false, 2);
    for id in ["a", "b"] {
        model.apply(Event::Message(message(id, peer(1), 3, 0)), 3);
    }
    let mut own = message("mine", peer(9), 3, 0);
    own.state = MessageState::Sent;
    model.apply(Event::Message(own), 3);
    assert_eq!((model.unread(), model.first_new(|_| true), model.unseen_messages.so_far()), (2, Some(2), 2));
    model.set_visible(true, 4);
    assert_eq!((model.unread(), model.first_new(|_| true)), (0, Some(2)), "where one left off stays on the screen");
    model.apply(Event::Message(message("now", peer(1), 5, 0)), 5);
    assert_eq!((model.unread(), model.unseen_messages.so_far()), (0, 2));
}

#[test]
fn who_is_muted_is_neither_counted_nor_announced() {
    let mut model = Model::default();
    model.apply(Event::Room(room("lobby")), 0);
    model.open("lobby", 0);
    Arc::make_mut(&mut model.muted).add(peer(1), "ann");
    model.apply(Event::Message(message("a", peer(1), 1, 0)), 1);
    model.set_visible(false, 2);
    model.apply(Event::Message(message("b", peer(1), 3, 0)), 3);
    model.merge_lines("lobby", vec![message("c", peer(1), 3, 0)], 3);
    assert_eq!((model.unread(), model.unseen_messages.so_far(), model.heard.len()), (0, 0, 0));
    assert_eq!(model.room("lobby").map(|room| room.lines.as_slice().len()), Some(3), "kept, to be shown when unmuted");
}

#[test]
fn who_reloads_or_comes_back_goes_on_where_they_left() {
    let mut model = Model::default();
    model.apply(Event::Room(room("lobby")), 0);
    model.open("lobby", 0);
    model.apply(Event::Message(message("seen", peer(1), 1, 0)), 1);
    let kept = model.written_marks(2);

    let mut reloaded = Model { marks: crate::reading::read_marks(&kept), ..Model::default() };
    reloaded.set_rooms(vec![room("lobby")], 100_000);
    reloaded.open("lobby", 100_000);
    let said = ["seen", "missed"].map(|id| message(id, peer(1), if id == "seen" { 1 } else { 50_000 }, 0));
    reloaded.merge_lines("lobby", said.to_vec(), 100_000);
    assert_eq!(reloaded.first_new(|_| true), Some(2));

    model.apply(Event::Left { room: "lobby".into() }, 3);
    assert_eq!(model.written_marks(4), kept);
    model.apply(Event::Room(room("lobby")), 100_000);
    model.open("lobby", 100_000);
    model.merge_lines("lobby", said.to_vec(), 100_000);
    assert_eq!(model.first_new(|_| true), Some(2));
}
