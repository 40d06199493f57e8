use super::*;
use crate::native::in_flight::InFlightCounts;
use crate::native::receive_order::MAX_OPEN_BYTES;
use crate::native::sctp::tests::{TAG, answer, chunk, init, init_ack, packet, piece, reset, sack, tagged};

const BINARY: u32 = 53;
const DCEP: u32 = 50;
const OPEN: [u8; 12] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn inspector(authenticated: bool) -> (Inspector, Arc<SctpState>) {
    let sctp = SctpState::new(true, 64 * 1024);
    if authenticated {
        sctp.set_authenticated();
    }
    let mut inspector = Inspector::new(sctp.clone());
    assert_eq!(inspector.receive(&packet(&[init(7, 1)])), Verdict::Forward);
    inspector.send(&tagged(7, &[init_ack(TAG, 1)]));
    (inspector, sctp)
}

fn whole(tsn: u32, stream: u16, ssn: u16, payload: &[u8]) -> Vec<u8> {
    packet(&[piece(tsn, stream, ssn, 3, BINARY, payload)])
}

fn open(tsn: u32, stream: u16) -> Vec<u8> {
    packet(&[piece(tsn, stream, 0, 3, DCEP, &OPEN)])
}

#[test]
fn large_stream_numbers_end_it_wherever_they_are() {
    let large = MAX_STREAM_IDS.to_be_bytes();
    let (mut inspector, _) = inspector(true);
    assert_eq!(inspector.receive(&open(1, MAX_STREAM_IDS - 1)), Verdict::Forward);
    let i_data = chunk(64, 3, &[[0; 4].as_slice(), &large, &[0; 10]].concat());
    let incoming = chunk(130, 0, &[[0, 14, 0, 10, 0, 0, 0, 0].as_slice(), &large].concat());
    for unknown in [i_data, incoming] {
        assert_eq!(inspector.receive(&packet(&[unknown])), Verdict::Drop, "the association does not know it");
    }
    let chunks = [piece(2, MAX_STREAM_IDS, 0, 3, BINARY, b"x"), reset(1, 0, &[3, u16::MAX])];
    for hostile in chunks {
        let verdict = inspector.receive(&packet(std::slice::from_ref(&hostile)));
        assert!(matches!(verdict, Verdict::Close(_)), "{hostile:x?}: {verdict:?}");
    }
}

#[test]
fn before_noise_only_the_handshakes_channel_is_used() {
    let (mut inspector, sctp) = inspector(false);
    assert_eq!(inspector.receive(&whole(1, 0, 0, b"noise")), Verdict::Forward);
    sctp.handshake_message_sent();
    assert!(matches!(inspector.receive(&open(2, 2)), Verdict::Close(_)));
    sctp.handshake_message_sent();
    assert_eq!(inspector.receive(&open(2, 2)), Verdict::Forward, "it may be through with Noise");
}

#[test]
fn before_noise_little_is_taken() {
    let (mut inspector, sctp) = inspector(false);
    let (budget, cost) = (64 * 1024 - CHUNK_BYTES, 4 + CHUNK_BYTES);
    let taken = (0..1000).find(|n| inspector.receive(&whole(1 + *n, 0, *n as u16, b"tiny")) != Verdict::Forward);
    assert_eq!(taken, Some((budget / cost) as u32), "the association's beginning counts too");
    (0..2).for_each(|_| sctp.handshake_message_sent());
    assert_eq!(inspector.receive(&whole(2000, 0, 2000, b"tiny")), Verdict::Drop, "it comes again");
    sctp.set_authenticated();
    let next = taken.unwrap();
    assert_eq!(inspector.receive(&whole(1 + next, 0, next as u16, b"tiny")), Verdict::Forward);
}

#[test]
fn before_noise_little_is_answered() {
    for asks in [chunk(4, 0, &[0, 1, 0, 4]), chunk(10, 0, &[7; 33]), reset(9, 0, &[2]), init(7, 1)] {
        let (mut inspector, _) = inspector(false);
        let taken =
            (0..1000).take_while(|_| inspector.receive(&packet(std::slice::from_ref(&asks))) == Verdict::Forward);
        assert_eq!(taken.count(), 64 * 1024 / CHUNK_BYTES - 1, "{asks:x?}");
    }
}

#[test]
fn streams_are_opened_before_they_are_used() {
    let (mut inspector, _) = inspector(true);
    inspector.send(&open(1, 1));
    assert_eq!(inspector.receive(&whole(1, 1, 0, b"an answer")), Verdict::Forward);
    let unopened = (0..200).find(|n| inspector.receive(&whole(2 + n, 2 + 2 * *n as u16, 0, b"x")) != Verdict::Forward);
    assert_eq!(unopened, Some(MAX_UNOPENED_STREAMS));
}

#[test]
fn a_stream_is_used_until_all_has_come_that_was_sent_before_its_end() {
    let (mut inspector, _) = inspector(true);
    let streams: Vec<u16> = (1..=100).map(|n| 2 * n).collect();
    let mut tsn = 1..;
    for stream in &streams {
        assert_eq!(inspector.receive(&open(tsn.next().unwrap(), *stream)), Verdict::Forward);
    }
    let late: Vec<_> = streams.iter().map(|stream| whole(tsn.next().unwrap(), *stream, 1, b"x")).collect();
    let next = tsn.next().unwrap();
    assert_eq!(inspector.receive(&packet(&[reset(1, next - 1, &streams)])), Verdict::Forward);
    for packet in late {
        assert_eq!(inspector.receive(&packet), Verdict::Forward);
    }
    inspector.send(&packet(&[answer(1, 1)]));
    let closed = streams.iter().zip(next..);
    let used =
        closed.take_while(|(stream, tsn)| inspector.receive(&whole(*tsn, **stream, 0, b"x")) == Verdict::Forward);
    assert_eq!(used.count(), MAX_UNOPENED_STREAMS as usize, "now they are closed");
}

#[test]
fn a_stream_that_is_reset_is_used_again_once_we_have_answered() {
    let (mut inspector, _) = inspector(true);
    assert_eq!(inspector.receive(&packet(&[reset(1, 1, &[2])])), Verdict::Forward, "a chunk is missing");
    assert_eq!(inspector.receive(&whole(2, 2, 0, b"x")), Verdict::Drop);
    inspector.send(&packet(&[answer(1, 6)]));
    assert_eq!(inspector.receive(&whole(2, 2, 0, b"x")), Verdict::Drop, "we only said that it waits");
    assert_eq!(inspector.receive(&whole(1, 2, 0, b"x")), Verdict::Forward);
    assert_eq!(inspector.receive(&whole(2, 2, 0, b"x")), Verdict::Drop);
    inspector.send(&packet(&[answer(1, 1)]));
    assert_eq!(inspector.receive(&whole(2, 2, 0, b"x")), Verdict::Forward);
    let (mut at_once, _) = self::inspector(true);
    let both = packet(&[reset(1, 0, &[2]), piece(1, 2, 0, 3, BINARY, b"x")]);
    assert_eq!(at_once.receive(&both), Verdict::Drop, "in one packet");
    let other = packet(&[reset(1, 0, &[2]), piece(1, 4, 0, 3, BINARY, b"x")]);
    assert_eq!(at_once.receive(&other), Verdict::Forward, "another stream");
}

#[test]
fn a_stream_that_we_open_is_strange_no_longer() {
    let (mut inspector, _) = inspector(true);
    for (n, tsn) in (1..200).zip(1..) {
        assert_eq!(inspector.receive(&whole(tsn, 2 * n, 0, b"x")), Verdict::Forward, "{n}");
        inspector.send(&open(tsn, 2 * n));
    }
}

#[test]
fn neither_labels_nor_associations_pile_up() {
    let (mut long, _) = inspector(true);
    let label = packet(&[piece(1, 2, 0, 3, DCEP, &[3; MAX_OPEN_BYTES + 1])]);
    assert!(matches!(long.receive(&label), Verdict::Close(_)));
    let (mut pieces, _) = inspector(true);
    let half = [3; MAX_OPEN_BYTES / 2 + 1];
    assert_eq!(pieces.receive(&packet(&[piece(1, 2, 0, 2, DCEP, &half)])), Verdict::Forward);
    assert!(matches!(pieces.receive(&packet(&[piece(2, 2, 0, 1, DCEP, &half)])), Verdict::Close(_)));
    for (begun, on) in [(BINARY, DCEP), (DCEP, BINARY)] {
        let (mut mixed, _) = inspector(true);
        assert_eq!(mixed.receive(&packet(&[piece(1, 2, 0, 2, begun, &OPEN)])), Verdict::Forward);
        assert!(matches!(mixed.receive(&packet(&[piece(2, 2, 0, 0, on, &half)])), Verdict::Close(_)));
    }
    let (mut second, _) = inspector(true);
    assert_eq!(second.receive(&packet(&[init(7, 1)])), Verdict::Forward, "the same again");
    assert!(matches!(second.receive(&packet(&[init(8, 1)])), Verdict::Close(_)));
}

/// Chromium cuts any message for which a packet has little room left, while it uploads too.
#[test]
fn a_message_that_opens_a_channel_may_come_in_pieces() {
    let (mut inspector, _) = inspector(true);
    let (one, rest) = OPEN.split_at(5);
    let all = [
        open(1, 2),
        packet(&[piece(3, 4, 0, 1, DCEP, rest)]),
        packet(&[piece(2, 4, 0, 2, DCEP, one)]),
        whole(4, 4, 1, b"data"),
        packet(&[piece(5, 6, 0, 2, DCEP, one), piece(6, 6, 0, 1, DCEP, rest)]),
    ];
    for packet in all {
        assert_eq!(inspector.receive(&packet), Verdict::Forward);
    }
    assert!(inspector.opened.contains(4) && inspector.opened.contains(6) && inspector.unopened.count == 0);
}

#[test]
fn what_the_association_does_not_take_counts_for_nothing() {
    let (mut inspector, _) = inspector(true);
    (1..10).for_each(|tsn| inspector.send(&tagged(7, &[piece(tsn, 0, 0, 3, BINARY, b"x")])));
    let first = || piece(1, 2, 0, 3, BINARY, b"x");
    let mut damaged = packet(&[first()]);
    *damaged.last_mut().unwrap() ^= 1;
    let mut portless = packet(&[first()]);
    portless[..2].fill(0);
    let mut long_sack = vec![0; 12];
    long_sack.extend(piece(1, 2, 0, 2, BINARY, b"hidden"));
    assert_eq!(inspector.receive(&packet(&[sack(0, &[(2, 3), (4, 6)])])), Verdict::Forward, "these blocks touch");
    let unsound = [
        damaged,
        portless,
        tagged(TAG + 1, &[first()]),
        tagged(0, &[first()]),
        packet(&[first(), chunk(200, 0, b"nobody knows it")]),
        packet(&[first(), chunk(5, 0, &[0, 1, 0, 4])]),
        packet(&[chunk(3, 0, &long_sack), first()]),
        packet(&[sack(0, &[(2, 3), (3, 4)]), first()]),
        packet(&[sack(0, &[(5, 6), (2, 3)]), first()]),
        packet(&[sack(0, &[(3, 2)]), first()]),
        packet(&[chunk(4, 0, &[0, 1, 0, 4]), chunk(4, 0, &[0, 1, 0, 4]), first()]),
        packet(&[sack(0, &[]), sack(0, &[]), first()]),
        packet(&[answer(1, 1), answer(2, 1), answer(3, 1), first()]),
        packet(&[chunk(11, 0, b"more"), first()]),
        packet(&[chunk(130, 0, &[&[0, 16, 0, 20], &[0; 16][..]].concat()), first()]),
        [packet(&[first()]), vec![0, 3, 0, 9]].concat(),
        packet(&[first(), vec![0; 3]]),
        packet(&[first(), init(7, 1)]),
    ];
    for packet in unsound {
        assert_eq!(inspector.receive(&packet), Verdict::Drop, "{packet:x?}");
        assert!(inspector.order.take_reset_streams().is_empty() && !inspector.has_data, "{packet:x?}");
    }
    assert_eq!(inspector.receive(&packet(&[first()])), Verdict::Forward);
}

#[test]
fn what_honest_peers_send_is_valid() {
    let (mut inspector, _) = inspector(true);
    (1..3).for_each(|tsn| inspector.send(&tagged(7, &[piece(tsn, 0, 0, 3, BINARY, b"x")])));
    let honest = [
        vec![chunk(10, 0, &[7; 33]), piece(1, 0, 0, 3, BINARY, b"with the cookie")],
        vec![chunk(11, 0, &[]), sack(0, &[]), piece(2, 0, 1, 3, BINARY, b"xyz")],
        vec![chunk(3, 0, &[&[0; 8][..], &[0, 1, 0, 1], &[0, 2, 0, 2], &[0; 4]].concat())],
        vec![chunk(4, 0, &[0, 1, 0, 9, 1, 2, 3, 4, 5])],
        vec![answer(1, 1), reset(1, 2, &[3, 5, 7])],
        vec![chunk(130, 0, &[answer(1, 1)[4..].to_vec(), reset(2, 2, &[9])[4..].to_vec()].concat())],
        vec![chunk(7, 0, &[0; 4])],
        vec![chunk(9, 0, &[0, 1, 0, 8, 0, 1, 0, 2])],
        vec![chunk(6, 0, &[0, 12, 0, 9, b'c', b'l', b'o', b's', b'e'])],
        vec![chunk(8, 0, &[])],
        vec![chunk(14, 0, &[])],
    ];
    for chunks in honest {
        assert_eq!(inspector.receive(&packet(&chunks)), Verdict::Forward, "{chunks:x?}");
    }
}

#[test]
fn an_association_begins_once() {
    let (mut inspector, _) = inspector(true);
    assert!(matches!(inspector.receive(&packet(&[init(7, 2)])), Verdict::Close(_)), "with another number");
    let (mut inspector, _) = self::inspector(true);
    assert!(matches!(inspector.receive(&packet(&[init_ack(7, 1)])), Verdict::Close(_)), "a listener asks nobody");
    let (mut inspector, _) = self::inspector(true);
    assert_eq!(inspector.receive(&whole(1, 2, 0, b"x")), Verdict::Forward);
    assert_eq!(inspector.receive(&packet(&[init(7, 1)])), Verdict::Drop, "it would count anew");
    assert!(matches!(inspector.receive(&packet(&[init(7, 2)])), Verdict::Close(_)));
    let mut dialer = Inspector::new(SctpState::new(false, 64 * 1024));
    dialer.send(&packet(&[init(TAG, 5)]));
    assert_eq!(dialer.receive(&packet(&[init(7, 1)])), Verdict::Forward, "both sides may ask");
    assert_eq!(dialer.receive(&packet(&[init_ack(7, 1)])), Verdict::Forward);
    assert!(matches!(dialer.receive(&packet(&[init_ack(7, 9)])), Verdict::Close(_)));
}

#[test]
fn empty_chunks_end_it() {
    let (mut inspector, _) = inspector(true);
    assert!(matches!(inspector.receive(&whole(1, 2, 0, b"")), Verdict::Close(_)));
}

#[test]
fn acknowledgements_name_what_was_sent_and_come_no_oftener() {
    let (mut inspector, sctp) = inspector(true);
    let sent = |tsn| tagged(7, &[piece(tsn, 0, 0, 3, BINARY, b"x")]);
    assert_eq!(inspector.receive(&packet(&[sack(0, &[])])), Verdict::Drop, "nothing is sent");
    (1..=4).for_each(|tsn| inspector.send(&sent(tsn)));
    for unsent in [sack(5, &[]), sack(0, &[(2, 5)])] {
        assert_eq!(inspector.receive(&packet(&[unsent])), Verdict::Drop);
    }
    assert_eq!(inspector.receive(&packet(&[sack(0, &[(2, 4)])])), Verdict::Forward);
    assert_eq!(sctp.in_flight().chunks, 4, "the first one is missing");
    assert_eq!(inspector.receive(&packet(&[sack(1, &[(2, 3)])])), Verdict::Forward);
    assert_eq!(sctp.in_flight(), InFlightCounts { chunks: 3, messages: 4 });
    let more = (0..100).take_while(|_| inspector.receive(&packet(&[sack(1, &[(2, 3)])])) == Verdict::Forward);
    assert_eq!(more.count(), 6, "each packet asks for two at most");
    inspector.send(&sent(2));
    assert_eq!(inspector.receive(&packet(&[sack(4, &[])])), Verdict::Forward);
    assert_eq!(sctp.in_flight().chunks, 0);
}
