use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{config::MAX_LISTED_MEMBERS, hub::members::Trust};

/// An origin for the tests' own clock.
#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

/// What is told to those who have room for everything.
fn update(desk: &mut Desk, members: &mut Members) -> Vec<(PeerId, Report)> {
    update_at(desk, members, start(), |_| usize::MAX).reports
}

/// What is told now that the members have changed.
fn update_at(desk: &mut Desk, members: &mut Members, at: Instant, space: impl Fn(&PeerId) -> usize) -> Update {
    // Streams with space have written what they were told before.
    for peer in desk.numbers.keys().copied().filter(|peer| space(peer) > 0).collect::<Vec<_>>() {
        desk.took(&peer);
    }
    desk.changed(&members.take_changed(), members, &|_, _| Presences::new(), at);
    desk.update(members, &|_, _| Presences::new(), at, space)
}

fn watch<S: AsRef<str>>(rooms: impl IntoIterator<Item = S>) -> Watch {
    Watch { rooms: rooms.into_iter().map(|room| room.as_ref().to_owned()).collect(), local_only: false }
}

#[test]
fn each_change_is_told_once_and_nobody_is_told_of_himself() {
    let [me, ann, bob] = [(); 3].map(|()| PeerId::random());
    let (mut desk, mut members) = (Desk::new(me), Members::default());
    desk.open(ann);
    desk.watch(ann, Watch { rooms: vec!["r".into()], local_only: false });
    members.set_direct(&[("r", &[ann, bob])], &[]);
    let told = update(&mut desk, &mut members);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].0, told[0].1.total, told[0].1.joined.clone()), (ann, 1, vec![bob.to_bytes()]));
    assert!(update(&mut desk, &mut members).is_empty());
    members.set_direct(&[], &[]);
    assert_eq!(update(&mut desk, &mut members)[0].1.left, [bob.to_bytes()]);
}

#[test]
fn who_asks_again_is_not_left_with_what_was_true_before() {
    let [me, ann, bob] = [(); 3].map(|()| PeerId::random());
    let (mut desk, mut members) = (Desk::new(me), Members::default());
    let watch = |rooms: &[&str]| Watch { rooms: rooms.iter().map(|r| (*r).to_owned()).collect(), local_only: false };
    desk.open(ann);
    desk.watch(ann, watch(&["r"]));
    members.set_direct(&[("r", &[bob])], &[]);
    update(&mut desk, &mut members);
    desk.watch(ann, watch(&[]));
    members.set_direct(&[], &[]);
    desk.watch(ann, watch(&["r"]));
    assert_eq!(update(&mut desk, &mut members)[0].1.left, [bob.to_bytes()]);
}

#[test]
fn a_pretended_hub_cannot_speak_for_this_one() {
    let [me, ann, liar] = [(); 3].map(|()| PeerId::random());
    let (mut desk, mut members) = (Desk::new(me), Members::default());
    desk.open(ann);
    desk.watch(ann, Watch { rooms: vec!["r".into()], local_only: false });
    let lie = Report { room: "r".into(), hub: me.to_bytes(), total: 9, ..Report::default() };
    members.report(liar, Trust::Chosen, &lie, Presences::new(), |_| false);
    assert!(update(&mut desk, &mut members).is_empty());
}

#[test]
fn a_crowd_is_counted_and_sampled() {
    let me = PeerId::random();
    let (mut desk, mut members) = (Desk::new(me), Members::default());
    let ann = PeerId::random();
    desk.open(ann);
    desk.watch(ann, Watch { rooms: vec!["r".into()], local_only: false });
    members.set_direct(&[("r", &(0..200).map(|_| PeerId::random()).collect::<Vec<_>>())], &[]);
    let report = update(&mut desk, &mut members).remove(0).1;
    assert_eq!((report.total, report.joined.len()), (200, MAX_LISTED_MEMBERS));
}

/// A hub whose other hubs name as many members as they may, of as many rooms, and watchers that ask about all.
fn crowd(hubs: usize, rooms: usize, watchers: usize) -> (Desk, Members, Vec<PeerId>, Vec<PeerId>) {
    let (mut desk, mut members) = (Desk::new(PeerId::random()), Members::default());
    let hubs: Vec<PeerId> = (0..hubs).map(|_| PeerId::random()).collect();
    for hub in &hubs {
        (0..rooms).for_each(|room| rename(&mut members, *hub, room, &[]));
    }
    let watchers: Vec<PeerId> = (0..watchers).map(|_| PeerId::random()).collect();
    for watcher in &watchers {
        desk.open(*watcher);
        assert!(desk.watch(*watcher, watch((0..rooms).map(|room| format!("r{room}")))));
    }
    (desk, members, hubs, watchers)
}

/// As many other members as may be named.
fn rename(members: &mut Members, hub: PeerId, room: usize, left: &[Vec<u8>]) {
    let joined: Vec<Vec<u8>> = (0..MAX_LISTED_MEMBERS).map(|_| PeerId::random().to_bytes()).collect();
    let report = Report { room: format!("r{room}"), hub: hub.to_bytes(), total: 50, joined, ..Report::default() };
    members.report(hub, Trust::Chosen, &Report { left: left.to_vec(), ..report }, Presences::new(), |_| false);
}

#[test]
fn watchers_share_what_they_were_told() {
    let (mut desk, mut members, ..) = crowd(8, 64, 30);
    let alone = members.weight();
    let mut told = 0;
    while desk.is_due(start()) {
        let update = update_at(&mut desk, &mut members, start(), |_| usize::MAX);
        assert!(update.reports.len() <= MAX_REPORTS_AT_ONCE && update.dropped.is_empty());
        told += update.reports.len();
    }
    assert_eq!(told, 8 * 64 * 30);
    assert_eq!(members.tally().total(), alone, "not one listing more for all the watchers");
}

#[test]
fn nothing_is_built_for_who_takes_nothing_and_he_is_told_later_what_is_true_then() {
    let (mut desk, mut members, hubs, watchers) = crowd(2, 10, 2);
    let told = update_at(&mut desk, &mut members, start(), |peer| if *peer == watchers[0] { 3 } else { 0 }).reports;
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|(peer, _)| *peer == watchers[0]));
    for room in 0..10 {
        let gone = Report { room: format!("r{room}"), hub: hubs[0].to_bytes(), ..Report::default() };
        let left = members.of(&gone.room, &hubs[1]).0.iter().map(|peer| peer.to_bytes()).collect();
        members.report(hubs[0], Trust::Chosen, &Report { left, ..gone }, Presences::new(), |_| false);
    }
    // Each adds up what it is told.
    type Known = (u32, BTreeSet<Vec<u8>>);
    let mut known: BTreeMap<(PeerId, String, Vec<u8>), Known> = BTreeMap::new();
    let (mut told, mut at) = (told, start());
    while !told.is_empty() {
        at += Duration::from_secs(2);
        for (peer, report) in told {
            let known = known.entry((peer, report.room, report.hub)).or_default();
            known.0 = report.total;
            known.1.retain(|name| !report.left.contains(name));
            known.1.extend(report.joined);
        }
        told = update_at(&mut desk, &mut members, at, |_| 1).reports;
    }
    assert!(!desk.is_due(at));
    for watcher in watchers {
        for room in 0..10 {
            let of = |hub: &PeerId| known.get(&(watcher, format!("r{room}"), hub.to_bytes())).cloned();
            assert_eq!(of(&hubs[0]).unwrap_or_default(), (0, BTreeSet::new()));
            assert_eq!(of(&hubs[1]).map(|(total, names)| (total, names.len())), Some((50, MAX_LISTED_MEMBERS)));
        }
    }
}

#[test]
fn who_takes_nothing_loses_the_stream_when_old_listings_weigh_too_much() {
    let (mut desk, mut members, hubs, watchers) = crowd(16, 20, 12);
    let mut dropped = Vec::new();
    // Each watcher stops taking reports when it knows another state of all rooms.
    for round in 0..watchers.len() {
        for (hub, room) in hubs.iter().flat_map(|hub| (0..20).map(move |room| (*hub, room))) {
            let own = members.remote(&format!("r{room}"))[&hub].names().to_vec();
            rename(&mut members, hub, room, &own.iter().map(|peer| peer.to_bytes()).collect::<Vec<_>>());
        }
        loop {
            let takes = |peer: &PeerId| if watchers[round..].contains(peer) { usize::MAX } else { 0 };
            let update = update_at(&mut desk, &mut members, start() + Duration::from_secs(round as u64), takes);
            dropped.extend(update.dropped);
            assert!(members.tally().total() <= members.weight() + MAX_STALE_NAMES);
            if update.reports.is_empty() {
                break;
            }
        }
    }
    assert!(!dropped.is_empty() && dropped.iter().all(|peer| watchers[..watchers.len() - 1].contains(peer)));
}

#[test]
fn who_asks_the_same_again_is_told_nothing_and_costs_no_look() {
    let (mut desk, mut members, _, watchers) = crowd(2, 10, 1);
    while desk.is_due(start()) {
        update(&mut desk, &mut members);
    }
    assert!(desk.watch(watchers[0], watch((0..10).map(|room| format!("r{room}")))));
    assert!(!desk.is_due(start()));
}

#[test]
fn everybody_may_ask_about_a_few_rooms_when_others_ask_about_all() {
    let mut desk = Desk::new(PeerId::random());
    let greedy = MAX_WATCHED_BY_ALL / MAX_WATCHED;
    for watcher in (0..=greedy).map(|_| PeerId::random()) {
        desk.open(watcher);
        let within = desk.watch(watcher, watch((0..MAX_WATCHED).map(|room| format!("{watcher} {room}").split_off(30))));
        assert_eq!(within, desk.numbers.len() <= greedy);
    }
    assert_eq!(desk.watched, MAX_WATCHED_BY_ALL + MIN_WATCHED);
    let modest = PeerId::random();
    desk.open(modest);
    assert!(desk.watch(modest, watch(["lobby"])));
    // Who was cut asks anew once there is room for its wish.
    let (mut members, cut) = (Members::default(), desk.cut.first().and_then(|number| desk.watchers.get(number)));
    let cut = cut.expect("one was").peer;
    assert!(update_at(&mut desk, &mut members, start(), |_| 0).dropped.is_empty());
    let greedy: Vec<PeerId> = desk.numbers.keys().copied().filter(|peer| *peer != cut && *peer != modest).collect();
    for peer in &greedy[..2] {
        desk.close(peer);
    }
    assert_eq!(update_at(&mut desk, &mut members, start(), |_| 0).dropped, [cut]);
    assert!(update_at(&mut desk, &mut members, start(), |_| 0).dropped.is_empty());
    for peer in desk.numbers.keys().copied().collect::<Vec<_>>() {
        desk.close(&peer);
    }
    assert_eq!(
        (desk.watched, desk.rooms.len(), desk.watchers.len(), desk.ready.len() + desk.stalled.len()),
        (0, 0, 0, 0)
    );
}

#[test]
fn a_room_that_changes_all_the_time_is_told_a_few_times_a_second_and_others_at_once() {
    const SECONDS: u64 = 10;
    let [me, ann, bob, eve, zoe] = [(); 5].map(|()| PeerId::random());
    let (mut desk, mut members, began) = (Desk::new(me), Members::default(), start());
    desk.open(ann);
    desk.watch(ann, watch(["r", "quiet"]));
    let mut told = 0;
    for turn in 0..SECONDS * 50 {
        // Eve comes and goes fifty times a second.
        let there: &[PeerId] = if turn % 2 == 0 { &[bob, eve] } else { &[bob] };
        let quiet: &[PeerId] = if turn >= 333 { &[bob] } else { &[] };
        members.set_direct(&[("r", there), ("quiet", quiet)], &[]);
        let at = began + Duration::from_millis(20) * u32::try_from(turn).expect("few");
        let reports = update_at(&mut desk, &mut members, at, |_| usize::MAX).reports;
        assert_eq!(reports.iter().any(|(_, report)| report.room == "quiet"), turn == 333);
        told += reports.iter().filter(|(_, report)| report.room == "r").count() as u64;
        assert!(turn > 0 || told == 1, "the first is told at once");
    }
    assert!((SECONDS..=SECONDS * 4 + 4).contains(&told), "{told} told in {SECONDS} s");
    // What holds in the end is told in the end.
    members.set_direct(&[("r", &[bob, eve, ann, zoe])], &[]);
    let mut at = began + Duration::from_secs(SECONDS);
    let mut last = update_at(&mut desk, &mut members, at, |_| usize::MAX).reports.pop();
    while let Some(next) = desk.deadline() {
        assert!(next > at && next <= at + Duration::from_millis(250));
        at = next;
        last = update_at(&mut desk, &mut members, at, |_| usize::MAX).reports.pop().or(last);
    }
    assert_eq!(last.map(|(_, report)| (report.room, report.total)), Some(("r".to_owned(), 3)));
}

#[test]
fn who_takes_nothing_is_dropped_before_who_is_far_behind_and_takes_on() {
    const ROOMS: usize = 300;
    let (mut desk, mut members, hubs, watchers) = crowd(16, 20, 12);
    let (honest, began, mut dropped) = (PeerId::random(), start(), Vec::new());
    desk.open(honest);
    // Another hub, which is told of many rooms, one at a time.
    for room in 20..ROOMS {
        let report = Report { room: format!("r{room}"), hub: hubs[0].to_bytes(), total: 7, ..Report::default() };
        members.report(hubs[0], Trust::Chosen, &report, Presences::new(), |_| false);
    }
    desk.watch(honest, watch((0..ROOMS).map(|room| format!("r{room}"))));
    for round in 0..watchers.len() {
        for (hub, room) in hubs.iter().flat_map(|hub| (0..20).map(move |room| (*hub, room))) {
            let own = members.remote(&format!("r{room}"))[&hub].names().to_vec();
            rename(&mut members, hub, room, &own.iter().map(|peer| peer.to_bytes()).collect::<Vec<_>>());
        }
        let at = began + Duration::from_secs(round as u64);
        loop {
            let takes = |peer: &PeerId| match watchers.iter().position(|watcher| watcher == peer) {
                Some(number) if number < round => 0,
                Some(_) => usize::MAX,
                None => 1,
            };
            let update = update_at(&mut desk, &mut members, at, takes);
            dropped.extend(update.dropped);
            if update.reports.iter().all(|(peer, _)| *peer == honest) {
                break;
            }
        }
        // It is the furthest behind of all, all the time.
        let lag = |peer: &PeerId| desk.numbers.get(peer).map_or(0, |number| desk.watchers[number].lag());
        assert!(watchers.iter().all(|watcher| lag(watcher) < lag(&honest)));
    }
    assert!(!dropped.is_empty() && !dropped.contains(&honest));
}
