//! Who is there: connected peers and members of rooms, as one list.

use std::collections::BTreeMap;

use tincan_shared::{Path, PeerId, is_blank, neutralise};

use crate::model::Model;

/// People that are listed by name, and hubs; a hub that lies may name any number.
const MAX_LISTED: usize = 200;

/// Somebody in the list of people, or a hub.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    pub(crate) peer: PeerId,
    /// Safe to show.
    pub(crate) nick: Option<String>,
    pub(crate) hub: bool,
    /// In the room on the screen.
    pub(crate) here: bool,
    pub(crate) path: Path,
    pub(crate) transport: String,
    pub(crate) rtt_us: Option<u64>,
    pub(crate) since_ms: Option<u64>,
}

impl Person {
    pub(crate) fn path_word(&self) -> &'static str {
        match self.path {
            Path::Direct => "direct",
            Path::Relayed => "relayed",
        }
    }
}

/// Everybody, by peer and in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Roster {
    /// Those in the room on the screen first, then by nick, hubs last.
    people: Vec<Person>,
    /// Where in it each is.
    places: BTreeMap<PeerId, usize>,
}

impl Roster {
    pub(crate) fn of(model: &Model) -> Self {
        let people = everybody(model);
        let places = people.iter().enumerate().map(|(place, person)| (person.peer, place)).collect();
        Self { people, places }
    }

    pub(crate) fn person(&self, peer: &PeerId) -> Option<&Person> {
        self.places.get(peer).and_then(|place| self.people.get(*place))
    }

    pub(crate) fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(|person| !person.hub)
    }

    pub(crate) fn has_people(&self) -> bool {
        self.people().next().is_some()
    }

    /// Those who are listed, and how many of the room on the screen are not.
    pub(crate) fn listed(&self, hubs: bool) -> (Vec<PeerId>, usize) {
        let fitting = || self.people.iter().filter(|person| person.hub == hubs);
        let listed = fitting().take(MAX_LISTED).map(|person| person.peer).collect();
        (listed, fitting().skip(MAX_LISTED).filter(|person| person.here).count())
    }

    /// How many people there are and how many of them are reached directly; hubs are not people.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.people().count(), self.people().filter(|person| person.path == Path::Direct).count())
    }
}

fn everybody(model: &Model) -> Vec<Person> {
    let mut people: BTreeMap<PeerId, Person> = BTreeMap::new();
    for info in model.peers.values() {
        people.insert(
            info.peer,
            Person {
                peer: info.peer,
                nick: None,
                hub: info.hub,
                here: false,
                path: info.path,
                transport: info.transport.clone(),
                rtt_us: info.rtt_us,
                since_ms: Some(info.since_ms),
            },
        );
    }
    for room in &model.rooms {
        for member in &room.info.members {
            let person = people.entry(member.peer).or_insert_with(|| Person {
                peer: member.peer,
                nick: None,
                hub: false,
                here: false,
                path: member.path,
                transport: member.transport.clone(),
                rtt_us: None,
                since_ms: None,
            });
            person.here |= room.info.room == model.current;
            if let Some(nick) = member.nick.as_ref().filter(|nick| !is_blank(nick)) {
                person.nick = Some(neutralise(nick, false));
            }
        }
    }
    let mut people: Vec<Person> = people.into_values().filter(|person| Some(person.peer) != model.me).collect();
    people.sort_by_cached_key(|person| {
        (person.hub, !person.here, person.nick.is_none(), person.nick.as_deref().map(str::to_lowercase), person.peer)
    });
    people
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use tincan_shared::{Event, Member, RoomInfo};

    use super::*;
    use crate::sample::{connected, peer};

    fn member(seed: u8, nick: &str) -> Member {
        Member { peer: peer(seed), nick: Some(nick.into()), path: Path::Relayed, transport: "gossip".into() }
    }

    #[test]
    fn connections_and_members_are_one_list_without_hubs_in_the_count() {
        let mut model = Model::default();
        model.me = Some(peer(9));
        model.apply(Event::PeerUp(connected(1, true)), 0);
        model.apply(Event::PeerUp(connected(2, false)), 0);
        let members = vec![member(2, "bob"), member(3, "\u{202e}cat"), member(9, "myself")];
        model.apply(
            Event::Room(RoomInfo {
                room: "r".into(),
                plain: false,
                foreign: false,
                direct: false,
                members,
                total: 3,
                waiting: 0,
            }),
            0,
        );
        model.open("r", 0);
        let roster = Roster::of(&model);
        let people = &roster.people;
        assert_eq!(people.iter().map(|person| person.peer).collect::<Vec<_>>(), [peer(2), peer(3), peer(1)]);
        assert_eq!(people[0].transport, "ws", "a connection tells more than a membership");
        assert_eq!(people[1].nick.as_deref(), Some("cat"));
        assert_eq!(roster.counts(), (2, 1));
        assert_eq!(roster.person(&peer(3)), people.get(1));
        assert_eq!(roster.listed(true), (vec![peer(1)], 0));
    }

    #[test]
    fn no_more_than_a_few_hundred_are_listed_and_the_others_counted() {
        let mut model = Model::default();
        let members = (0..=u8::MAX).map(|seed| member(seed, "x")).collect();
        model.apply(
            Event::Room(RoomInfo {
                room: "r".into(),
                plain: false,
                foreign: false,
                direct: false,
                members,
                total: 300,
                waiting: 0,
            }),
            0,
        );
        model.open("r", 0);
        let roster = Roster::of(&model);
        let (listed, more) = roster.listed(false);
        assert_eq!((listed.len(), more, roster.counts().0), (MAX_LISTED, 256 - MAX_LISTED, 256));
    }
}
