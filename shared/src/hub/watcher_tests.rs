use super::{
    super::listing::{Presences, Tally},
    *,
};

/// Reports that are built in one go: as many as a stream takes.
const AT_ONCE: usize = 8;

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

fn told(hub: PeerId, total: u32) -> Told {
    Told {
        listing: Listing::new(hub, (total, 0), &BTreeSet::new(), Presences::new(), &Tally::default()),
        is_in: false,
        is_foreign: false,
    }
}

fn asking(rooms: impl IntoIterator<Item = String>) -> (Watcher, BTreeSet<RoomId>) {
    let (mut watcher, rooms) = (Watcher::new(PeerId::random()), rooms.into_iter().map(RoomId::from).collect());
    watcher.ask(&rooms, false);
    (watcher, rooms)
}

#[test]
fn rooms_that_change_all_the_time_keep_no_other_waiting() {
    let restless = (0..64).map(|n| format!("a room before all others {n}"));
    let (mut watcher, rooms) = asking(restless.chain(["lobby".to_owned()]));
    let hub = PeerId::random();
    for turn in 1..=rooms.len() {
        rooms.iter().filter(|room| turn == 1 || &***room != "lobby").for_each(|room| watcher.look_at(room));
        let total = u32::try_from(turn).expect("few");
        let mut reports = Vec::new();
        watcher.catch_up(|_, _| vec![told(hub, total)], AT_ONCE, start(), &mut reports);
        assert_eq!(reports.len(), AT_ONCE);
        if reports.iter().any(|(_, report)| report.room == "lobby") {
            assert!(turn <= rooms.len().div_ceil(AT_ONCE), "told only in turn {turn}");
            return;
        }
    }
    panic!("the lobby is never told");
}

#[test]
fn hubs_whose_members_change_all_the_time_keep_no_other_hub_and_no_other_room_waiting() {
    let (mut watcher, rooms) = asking(["attic", "lobby"].map(str::to_owned));
    let mut hubs: Vec<PeerId> = (0..=2 * AT_ONCE).map(|_| PeerId::random()).collect();
    hubs.sort();
    let quiet = hubs.last().copied().expect("hubs").to_bytes();
    let (mut lobby, mut attic) = (false, false);
    for turn in 1..=8 {
        rooms.iter().for_each(|room| watcher.look_at(room));
        let now = |_: &Watcher, room: &str| -> Vec<Told> {
            let hubs = if room == "attic" { &hubs[..] } else { &hubs[..1] };
            hubs.iter().map(|hub| told(*hub, if hub.to_bytes() == quiet { 1 } else { turn })).collect()
        };
        let mut reports = Vec::new();
        watcher.catch_up(now, AT_ONCE, start(), &mut reports);
        lobby |= reports.iter().any(|(_, report)| report.room == "lobby");
        attic |= reports.iter().any(|(_, report)| report.hub == quiet);
    }
    assert!(lobby, "the other room is told");
    assert!(attic, "the other hub is told");
}

#[test]
fn rooms_that_are_asked_about_and_left_in_turn_leave_nothing_behind() {
    let (mut watcher, rooms) = asking((0..100).map(|n| format!("room {n}")));
    let hub = PeerId::random();
    for turn in 0..50 {
        let mut reports = Vec::new();
        watcher.catch_up(|_, _| vec![told(hub, turn)], AT_ONCE, start(), &mut reports);
        watcher.ask(&BTreeSet::new(), false);
        watcher.ask(&rooms, turn % 2 == 0);
        assert!(watcher.due.len() <= rooms.len() && watcher.lag() <= 2 * rooms.len());
    }
    watcher.ask(&BTreeSet::new(), false);
    let mut reports = Vec::new();
    assert!(watcher.catch_up(|_, _| Vec::new(), usize::MAX, start(), &mut reports));
    assert_eq!((watcher.places.len(), watcher.due.len(), watcher.leaving.len()), (0, 0, 0));
}
