//! Who is there: connected peers and members of rooms, as one list.

use std::collections::BTreeMap;

use tincan_shared::{Path, PeerId, neutralise};

use crate::model::Model;

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

/// Everybody: those in the room on the screen first, then by nick, hubs last.
pub(crate) fn roster(model: &Model) -> Vec<Person> {
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
            if let Some(nick) = &member.nick {
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

/// How many people there are and how many of them are reached directly; hubs are not people.
pub(crate) fn counts(people: &[Person]) -> (usize, usize) {
    let people = || people.iter().filter(|person| !person.hub);
    (people().count(), people().filter(|person| person.path == Path::Direct).count())
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
        let members = vec![member(2, "bob"), member(3, "\u{202e}ann"), member(9, "myself")];
        model.apply(
            Event::Room(RoomInfo { room: "r".into(), plain: false, foreign: false, members, total: 3, waiting: 0 }),
            0,
        );
        model.open("r");
        let people = roster(&model);
        assert_eq!(people.iter().map(|person| person.peer).collect::<Vec<_>>(), [peer(2), peer(3), peer(1)]);
        assert_eq!(people[0].transport, "ws", "a connection tells more than a membership");
        assert_eq!(people[1].nick.as_deref(), Some("\u{fffd}ann"));
        assert_eq!(counts(&people), (2, 1));
    }
}
