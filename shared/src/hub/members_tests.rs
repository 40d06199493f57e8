use super::*;

fn report(hub: PeerId, total: u32, joined: &[PeerId], left: &[PeerId]) -> Report {
    let bytes = |peers: &[PeerId]| peers.iter().map(|peer| peer.to_bytes()).collect();
    let (joined, left) = (bytes(joined), bytes(left));
    Report { room: "r".into(), hub: hub.to_bytes(), total, joined, left, ..Report::default() }
}

#[test]
fn hubs_are_added_up_and_a_member_of_two_counts_once() {
    let [me, ann, bob, hub, other] = [(); 5].map(|()| PeerId::random());
    let mut members = Members::default();
    members.set_direct(&[("r", &[ann])], &[]);
    members.report(hub, Trust::Chosen, &report(hub, 2, &[me, ann], &[]), Presences::new());
    assert!(members.report(hub, Trust::Chosen, &report(other, 7, &[bob], &[]), Presences::new()));
    assert!(!members.report(hub, Trust::Chosen, &report(other, 7, &[bob], &[]), Presences::new()), "no news");
    assert_eq!(members.of("r", &me), ([ann, bob].into(), 8));
    members.report(hub, Trust::Chosen, &report(other, 0, &[], &[bob]), Presences::new());
    assert_eq!(members.of("r", &me), ([ann].into(), 1));
    members.forget(&hub);
    members.set_direct(&[], &[]);
    assert_eq!(members.of("r", &me), (BTreeSet::new(), 0));
}

#[test]
fn a_hub_that_invents_hubs_names_no_more_than_a_few_hundred() {
    let (mut members, source) = (Members::default(), PeerId::random());
    for _ in 0..40 {
        let named: Vec<PeerId> = (0..50).map(|_| PeerId::random()).collect();
        members.report(source, Trust::Chosen, &report(PeerId::random(), 50, &named, &[]), Presences::new());
    }
    let (listed, total) = members.of("r", &source);
    assert_eq!((listed.len(), total), (MAX_NAMED_PER_SOURCE, 40 * 50), "the others count without their names");
}

#[test]
fn a_hub_names_so_many_in_all_and_its_other_members_count() {
    let (mut members, source, me) = (Members::default(), PeerId::random(), PeerId::random());
    let rooms: Vec<String> = (0..300).map(|n| format!("room {n}")).collect();
    for room in &rooms {
        let named: Vec<PeerId> = (0..MAX_LISTED_MEMBERS).map(|_| PeerId::random()).collect();
        members.report(
            source,
            Trust::Chosen,
            &Report { room: room.clone(), ..report(source, 50, &named, &[]) },
            Presences::new(),
        );
    }
    let named = rooms.iter().map(|room| members.of(room, &me).0.len()).sum::<usize>();
    assert_eq!(named, MAX_NAMES_PER_SOURCE);
    assert!(rooms.iter().all(|room| members.of(room, &me).1 == 50));
    // What is taken back makes room for others.
    let nobody = |room: &String| Report { room: room.clone(), total: 0, ..report(source, 0, &[], &[]) };
    let listed: Vec<PeerId> = members.of(&rooms[0], &me).0.into_iter().collect();
    assert!(members.has_listed(&source, &rooms[0]));
    members.report(
        source,
        Trust::Chosen,
        &Report { left: listed.iter().map(|peer| peer.to_bytes()).collect(), ..nobody(&rooms[0]) },
        Presences::new(),
    );
    assert!(!members.has_listed(&source, &rooms[0]));
    members.report(
        source,
        Trust::Chosen,
        &Report { room: rooms[1].clone(), total: 0, ..report(source, 0, &[], &[]) },
        Presences::new(),
    );
    let named: Vec<PeerId> = (0..MAX_LISTED_MEMBERS).map(|_| PeerId::random()).collect();
    members.report(
        source,
        Trust::Chosen,
        &Report { room: "new".into(), ..report(source, 50, &named, &[]) },
        Presences::new(),
    );
    assert_eq!(members.of("new", &me).0.len(), MAX_LISTED_MEMBERS);
    assert_eq!(members.of(&rooms[0], &me).1, 0, "forgotten");
}

#[test]
fn who_uses_another_program_is_counted_once() {
    let [me, ann, bob, js, hub] = [(); 5].map(|()| PeerId::random());
    let mut members = Members::default();
    members.set_direct(&[("r", &[ann, js])], &[js]);
    assert!(!members.local_is_foreign("r"), "as many use Tincan");
    assert_eq!(members.foreign("r", &me), 1);
    members.report(hub, Trust::Chosen, &Report { foreign: 2, ..report(hub, 3, &[js, bob], &[]) }, Presences::new());
    assert_eq!((members.of("r", &me).1, members.foreign("r", &me)), (4, 2));
    members.report(hub, Trust::Chosen, &Report { foreign: 9, ..report(hub, 1, &[], &[bob]) }, Presences::new());
    assert_eq!(members.foreign("r", &me), 1, "no more than are there");
    members.set_direct(&[("r", &[js])], &[js]);
    assert!(members.local_is_foreign("r") && !members.local_is_foreign("elsewhere"));
}

#[test]
fn a_stranger_hub_counts_for_those_it_names_who_are_few() {
    let (mut members, hub, me) = (Members::default(), PeerId::random(), PeerId::random());
    let boast = Report { foreign: 99_999, ..report(hub, 99_999, &[me; 0], &[]) };
    assert!(!members.report(hub, Trust::Stranger, &boast, Presences::new()), "it names nobody");
    for other in [hub, PeerId::random(), PeerId::random()] {
        let named: Vec<PeerId> = (0..MAX_LISTED_MEMBERS).map(|_| PeerId::random()).collect();
        members.report(
            hub,
            Trust::Stranger,
            &Report { foreign: 99_999, ..report(other, 99_999, &named, &[]) },
            Presences::new(),
        );
    }
    let (listed, total) = members.of("r", &me);
    assert_eq!((listed.len(), total as usize), (MAX_NAMED_PER_STRANGER, MAX_NAMED_PER_STRANGER));
    assert_eq!(members.foreign("r", &me), 0);
    assert!(members.is_doubted(&hub));
}

#[test]
fn a_strangers_word_comes_after_that_of_a_chosen_hub() {
    let [me, ann, eve, chosen, stranger, third] = [(); 6].map(|()| PeerId::random());
    let mut members = Members::default();
    // Of itself, of the chosen hub, and of a hub that the chosen one reports on.
    for hub in [stranger, chosen, third] {
        members.report(stranger, Trust::Stranger, &report(hub, 1, &[eve], &[]), Presences::new());
    }
    assert_eq!(members.of("r", &me), ([eve].into(), 1));
    for hub in [stranger, chosen, third] {
        members.report(chosen, Trust::Chosen, &report(hub, 7, &[ann], &[]), Presences::new());
    }
    assert_eq!(members.of("r", &me), ([ann].into(), 1 + 3 * 6));
    assert!(!members.is_doubted(&chosen));
}
