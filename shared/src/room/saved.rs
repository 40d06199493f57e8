//! What a room leaves behind for the next run, as entries of the host's storage.

use std::collections::BTreeMap;

use prost::Message as _;

use super::{
    frame::{Frame, FrameId, read_stored},
    waiting::Waiting,
};
use crate::{
    platform::{Change, Saved},
    records::Entry,
};

const ROOM: &str = "room/";
const FRAME: &str = "frame/";
const WAITING: &str = "waiting/";

/// A joined room of an earlier run.
#[derive(Debug, Default)]
pub struct SavedRoom {
    /// Raw text only.
    pub plain: bool,
    /// Whether its members may connect to us directly.
    pub direct: bool,
    /// Number of our last line.
    pub last_line: u64,
    /// Number of our last presence.
    pub last_presence: u64,
    /// Its last frames, which were verified before they were stored.
    pub frames: Vec<Frame>,
    /// Lines that waited, oldest first.
    pub waiting: Vec<Waiting>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RoomEntry {
    #[prost(bool, tag = "1")]
    pub(super) plain: bool,
    #[prost(uint64, tag = "2")]
    pub(super) last_line: u64,
    #[prost(uint64, tag = "3")]
    pub(super) last_presence: u64,
    #[prost(bool, tag = "4")]
    pub(super) direct: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WaitingEntry {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(uint64, tag = "2")]
    time_ms: u64,
    #[prost(uint64, tag = "3")]
    sequence: u64,
    #[prost(uint64, tag = "4")]
    previous: u64,
}

/// What removes a room from the storage, if nothing waits in it.
#[must_use]
pub fn forget(name: &str, room: &SavedRoom) -> Vec<Change> {
    std::iter::once(drop_room(name)).chain(room.frames.iter().map(|frame| drop_frame(name, &frame.id))).collect()
}

/// Reads the joined rooms; entries that do not decode are passed over.
#[must_use]
pub fn load(saved: &Saved) -> BTreeMap<String, SavedRoom> {
    let mut rooms = BTreeMap::new();
    for (key, value) in saved.range(ROOM.to_owned()..).take_while(|(key, _)| key.starts_with(ROOM)) {
        let (Some(name), Ok(entry)) = (room_name(&key[ROOM.len()..]), RoomEntry::decode(value.as_slice())) else {
            tracing::warn!(key, "a stored room does not decode; left out");
            continue;
        };
        let RoomEntry { plain, last_line, last_presence, direct } = entry;
        let mut frames: Vec<Frame> =
            entries(saved, FRAME, &name).filter_map(|(_, bytes)| read_stored(bytes).ok()).collect();
        frames.sort_by_key(Frame::sort_key);
        let waiting = entries(saved, WAITING, &name)
            .filter_map(|(id, bytes)| {
                let WaitingEntry { text, time_ms, sequence, previous } = WaitingEntry::decode(bytes).ok()?;
                Some(Waiting { id: id.to_owned(), text, time_ms, sequence, previous })
            })
            .collect();
        rooms.insert(name, SavedRoom { plain, direct, last_line, last_presence, frames, waiting });
    }
    rooms
}

/// What of the stored entries another key can go on with: the rooms, their frames, which prove themselves, and the records
/// and keys that were put and provided here. Numbers and lines that wait belong to the key that they were made for.
#[must_use]
pub fn saved_for_another_key(saved: Saved) -> Saved {
    let keep = |(key, value): (String, Vec<u8>)| {
        if key.starts_with(FRAME) || Entry::is_own(&key) {
            return Some((key, value));
        }
        let name = room_name(key.strip_prefix(ROOM)?)?;
        let entry = RoomEntry::decode(value.as_slice()).ok()?;
        let change = put_room(&name, &RoomEntry { last_line: 0, last_presence: 0, ..entry });
        Some((change.key, change.value?))
    };
    saved.into_iter().filter_map(keep).collect()
}

fn entries<'a>(saved: &'a Saved, kind: &str, room: &str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    let prefix = format!("{kind}{}/", hex::encode(room));
    saved
        .range(prefix.clone()..)
        .take_while({
            let prefix = prefix.clone();
            move |(key, _)| key.starts_with(&prefix)
        })
        .map(move |(key, value)| (&key[prefix.len()..], value.as_slice()))
}

fn room_name(hexed: &str) -> Option<String> {
    String::from_utf8(hex::decode(hexed).ok()?).ok()
}

pub(super) fn put_room(room: &str, entry: &RoomEntry) -> Change {
    let value = entry.encode_to_vec();
    Change { key: format!("{ROOM}{}", hex::encode(room)), value: Some(value) }
}

pub(super) fn drop_room(room: &str) -> Change {
    Change { key: format!("{ROOM}{}", hex::encode(room)), value: None }
}

pub(super) fn put_frame(room: &str, frame: &Frame) -> Change {
    Change { key: frame_key(room, &frame.id), value: Some(frame.bytes.clone()) }
}

pub(super) fn drop_frame(room: &str, id: &FrameId) -> Change {
    Change { key: frame_key(room, id), value: None }
}

pub(super) fn put_waiting(room: &str, waiting: &Waiting) -> Change {
    let Waiting { id, text, time_ms, sequence, previous } = waiting.clone();
    let value = WaitingEntry { text, time_ms, sequence, previous }.encode_to_vec();
    Change { key: waiting_key(room, &id), value: Some(value) }
}

pub(super) fn drop_waiting(room: &str, id: &str) -> Change {
    Change { key: waiting_key(room, id), value: None }
}

fn frame_key(room: &str, id: &FrameId) -> String {
    format!("{FRAME}{}/{}", hex::encode(room), id.to_hex())
}

fn waiting_key(room: &str, id: &str) -> String {
    format!("{WAITING}{}/{id}", hex::encode(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_key_goes_on_with_rooms_frames_and_what_was_put_here() {
        let waiting = Waiting { id: "w".into(), text: "mine".into(), time_ms: 5, sequence: 6, previous: 4 };
        let entry = RoomEntry { plain: true, last_line: 7, last_presence: 8, direct: true };
        let mut saved: Saved = [put_room("den", &entry), put_waiting("den", &waiting)]
            .map(|change| (change.key, change.value.expect("a value")))
            .into();
        saved.insert("nick".into(), b"ann".to_vec());
        let frame = format!("{FRAME}{}/ab", hex::encode("den"));
        saved.insert(frame.clone(), vec![1, 2]);
        let own = ["own-record", "own-key"].map(|kind| format!("{kind}/{}", hex::encode("diary")));
        saved.extend(own.iter().map(|key| (key.clone(), vec![3])));
        saved.insert(format!("record/{}", hex::encode("theirs")), vec![4]);
        let kept = saved_for_another_key(saved);
        assert_eq!(kept.get(&frame), Some(&vec![1, 2]));
        assert!(own.iter().all(|key| kept.get(key) == Some(&vec![3])));
        assert_eq!(kept.len(), 4);
        let rooms = load(&kept);
        let den = &rooms["den"];
        assert_eq!((den.plain, den.last_line, den.last_presence, den.waiting.len()), (true, 0, 0, 0));
    }
}
