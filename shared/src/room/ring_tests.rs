use libp2p::identity::Keypair;

use super::{
    super::frame::{Draft, sign},
    *,
};

fn frame(sequence: u64, presence: bool) -> Frame {
    frame_of(1, sequence, presence)
}

fn frame_of(author: u8, sequence: u64, presence: bool) -> Frame {
    let body = match presence {
        true => Body::Presence { nick: "a".into(), status: String::new(), relays: vec![] },
        false => Body::Message { nick: "a".into(), text: "x".into() },
    };
    let key = Keypair::ed25519_from_bytes([author; 32]).unwrap();
    sign(&key, &Draft { room: "r", sequence, previous: 0, time_ms: sequence, body: &body }).unwrap()
}

#[test]
fn keeps_the_newest_and_never_takes_one_twice() {
    let mut ring = Ring::new(2, 10_000, 2);
    for n in [3, 1, 2] {
        ring.insert(frame(n, false), 9);
    }
    assert_eq!(ring.lines().map(|f| f.sequence).collect::<Vec<_>>(), [2, 3], "whenever they came");
    assert_eq!(ring.insert(frame(1, false), 9), Inserted::Known, "dropped, yet remembered");
    ring.insert(frame_of(2, 77, false), 3);
    ring.insert(frame(4, false), 4);
    ring.insert(frame(5, false), 5);
    assert_eq!(ring.lines().map(|f| f.sequence).collect::<Vec<_>>(), [4, 5], "the future counts as now");
    assert!(ring.want(&[frame(1, false).id.prefix()].into()).is_empty(), "and not wanted back");
}

#[test]
fn lines_of_one_moment_are_kept_as_they_were_said_however_they_came() {
    let mut ring = Ring::new(2, 10_000, 2);
    for n in [13, 12, 11] {
        // All are said before they come.
        ring.insert(frame(n, false), 10);
    }
    assert_eq!(ring.lines().map(|f| f.sequence).collect::<Vec<_>>(), [12, 13]);
}

#[test]
fn the_latest_presence_wins() {
    let mut ring = Ring::new(2, 10_000, 2);
    ring.insert(frame(5, true), 9);
    assert_eq!(ring.insert(frame(4, true), 9), Inserted::Known);
    assert_eq!(ring.insert(frame(6, true), 9), Inserted::New { dropped: vec![frame(5, true).id] });
    assert_eq!(ring.have(), [frame(6, true).id.prefix()]);
}

#[test]
fn presences_from_the_future_do_not_outlive_those_that_come_later() {
    let mut ring = Ring::new(2, 10_000, 2);
    let [first, second] = [2, 3].map(|author| frame_of(author, 900, true));
    ring.insert(first.clone(), 5);
    ring.insert(second, 6);
    let honest = frame_of(4, 7, true);
    assert_eq!(ring.insert(honest, 7), Inserted::New { dropped: vec![first.id] });
}

#[test]
fn an_author_that_fills_the_log_pushes_out_its_own_lines() {
    let mut ring = Ring::new(16, 100_000, 2);
    for n in 1..=4 {
        ring.insert(frame_of(2, n, false), 900);
    }
    for n in 100..400 {
        ring.insert(frame_of(1, n, false), 900);
    }
    let kept: Vec<u64> = ring.lines().map(|frame| frame.sequence).collect();
    assert_eq!(kept, (3..=4).chain(386..400).collect::<Vec<_>>(), "an eighth of the log is everybody's");
    for author in 3..=17 {
        ring.insert(frame_of(author, 400 + u64::from(author), false), 900);
    }
    let of_first = ring.lines().filter(|frame| frame.author == frame_of(1, 1, false).author).count();
    assert_eq!((of_first, ring.lines().count()), (1, 16), "what others say later takes the place of it");
    let bytes = ring.lines().map(|frame| frame.bytes.len()).sum::<usize>();
    assert_eq!((ring.bytes, ring.held.len()), (bytes, 16));
    ring.expire(u64::MAX, 0);
    assert_eq!((ring.bytes, ring.held.len()), (0, 0));
}

#[test]
fn few_authors_fill_the_log_and_long_lines_count_by_their_bytes() {
    let mut ring = Ring::new(16, 100_000, 2);
    for n in 1..=40 {
        ring.insert(frame_of(1 + u8::try_from(n % 2).unwrap(), n, false), 900);
    }
    assert_eq!(ring.lines().map(|frame| frame.sequence).collect::<Vec<_>>(), (25..=40).collect::<Vec<_>>());
    let small = frame_of(2, 100, false).bytes.len();
    let mut ring = Ring::new(1000, 16 * small, 2);
    ring.insert(frame_of(2, 100, false), 900);
    for n in 200..300 {
        ring.insert(frame_of(1, n, false), 900);
    }
    assert_eq!(ring.lines().next().map(|frame| frame.sequence), Some(100));
    assert!(ring.lines().count() > 8, "the rest is for whoever speaks");
}

#[test]
fn sync_names_the_difference() {
    let (mut ours, theirs) =
        (Ring::new(9, 10_000, 2), [frame(2, false).id.prefix(), frame(3, false).id.prefix()].into());
    ours.insert(frame(1, false), 9);
    ours.insert(frame(2, false), 9);
    assert_eq!(ours.lacking(&theirs).map(|f| f.sequence).collect::<Vec<_>>(), [1]);
    assert_eq!(ours.want(&theirs), [frame(3, false).id.prefix()]);
    assert_eq!(ours.expire(2, 0), [frame(1, false).id]);
}
