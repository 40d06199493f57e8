//! Frames as no honest author makes them.

use std::time::{SystemTime, UNIX_EPOCH};

use libp2p::identity::Keypair;
use tincan_shared::room::frame::{Body, DOMAIN, Draft, MARK, VERSION, sign};

use super::{dice::Dice, proto::Proto, talk::ROOM};

const HOUR_MS: u64 = 3_600_000;

pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_millis()).expect("a clock of this age")
}

pub fn line(key: &Keypair, sequence: u64, previous: u64, time_ms: u64, text: &str) -> Vec<u8> {
    let body = Body::Message { nick: "mallory".into(), text: text.into() };
    sign(key, &Draft { room: ROOM, sequence, previous, time_ms, body: &body }).expect("a key that signs").bytes
}

/// Wrong or odd, but nothing that proves malice.
pub fn harmless(dice: &mut Dice, key: &Keypair) -> Vec<Vec<u8>> {
    let now = now_ms();
    let many = u64::try_from(dice.between(1, 40)).expect("few");
    let text = |text: &[u8]| Proto::default().bytes(1, b"mallory").bytes(2, text).done();
    match dice.below(14) {
        0 => (0..many).map(|n| line(key, now + n, 0, now + (2 + n) * HOUR_MS, "from the future")).collect(),
        1 => (0..many).map(|n| line(key, 1 + n, 0, n, "from the past")).collect(),
        2 => (1..=many).map(|n| line(key, now + n * HOUR_MS, now + n * HOUR_MS - 1, now, "after a jump")).collect(),
        3 => vec![line(key, u64::MAX, u64::MAX - 1, now, "the last of all"); 3],
        4 => vec![line(key, now, 0, now, "again"); usize::try_from(many).expect("few")],
        5 => (0..many).map(|n| [&[MARK, 2 + VERSION], n.to_be_bytes().as_slice()].concat()).collect(),
        6 => (0..many).map(|n| raw(key, ROOM, now + n, 99, &dice.bytes(100))).collect(),
        7 => vec![Vec::new(), vec![0xfe], b"\xc3\x28 no text".to_vec()],
        // Beyond the bounds: a later version's may differ.
        8 => (0..many).map(|n| raw(key, ROOM, now + n, 1, &text(&[b'x'; 4097]))).collect(),
        9 => (0..many).map(|n| raw(key, ROOM, now + n, 1, &text(b""))).collect(),
        10 => (0..many).map(|n| raw(key, ROOM, now + n, 1, &text(b"\xff\xfe"))).collect(),
        11 => (0..many).map(|n| [&[MARK, VERSION], n.to_be_bytes().as_slice(), &[0xff; 20]].concat()).collect(),
        12 => (0..many).map(|n| [line(key, now + n, 0, now, "a line"), vec![0; 7000]].concat()).collect(),
        _ => (0..many).map(|n| format!("plain line {n}").into_bytes()).collect(),
    }
}

/// Provably wrong, whoever sees it: each of these is an offence of its gossip source.
pub fn malicious(dice: &mut Dice, key: &Keypair, number: u64) -> Vec<u8> {
    let now = now_ms();
    let good = line(key, now + number, 0, now, "a line");
    let text = |text: &[u8]| Proto::default().bytes(1, b"mallory").bytes(2, text).done();
    match dice.below(3) {
        // The signature is the end of a frame.
        0 => [&good[..good.len() - 1], &[good[good.len() - 1] ^ 1]].concat(),
        1 => raw(key, "another room", now + number, 1, &text(b"a line")),
        // Somebody else's key over one's own signature.
        _ => {
            let other = Keypair::generate_ed25519();
            let signed = signed(&other, ROOM, now + number, 1, &text(b"a line"));
            envelope(&signed, &key.sign(&[DOMAIN, &signed].concat()).expect("a key that signs"))
        }
    }
}

/// A frame of any kind and body, truly signed.
fn raw(key: &Keypair, room: &str, sequence: u64, kind: u64, body: &[u8]) -> Vec<u8> {
    let signed = signed(key, room, sequence, kind, body);
    envelope(&signed, &key.sign(&[DOMAIN, &signed].concat()).expect("a key that signs"))
}

fn signed(key: &Keypair, room: &str, sequence: u64, kind: u64, body: &[u8]) -> Vec<u8> {
    let author = key.public().encode_protobuf();
    let head = Proto::default().bytes(1, room.as_bytes()).bytes(2, &author).number(3, sequence);
    head.number(5, now_ms()).number(6, kind).bytes(7, body).done()
}

fn envelope(signed: &[u8], signature: &[u8]) -> Vec<u8> {
    [vec![MARK, VERSION], Proto::default().bytes(1, signed).bytes(2, signature).done()].concat()
}
