//! WebSocket: an HTTP upgrade, then frames, then what TCP has at once.

use super::{
    dice::Dice,
    plan::{End, Plan, Step},
    tcp,
};

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: hub.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const WRONG: [(&str, &str); 8] = [
    ("websocket", "h2c"),
    ("Upgrade: websocket\r\n", ""),
    ("Version: 13", "Version: 12"),
    ("dGhlIHNhbXBsZSBub25jZQ==", "short"),
    ("dGhlIHNhbXBsZSBub25jZQ==", "\u{fffd}\u{fffd}\u{fffd}"),
    ("GET", "POST"),
    ("HTTP/1.1", "HTTP/1.0"),
    ("Host: hub.test\r\n", ""),
];
const BINARY: u8 = 0x82;

/// A frame as a client sends it, with this first byte; `length` is what it announces.
fn frame(first: u8, length: u64, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => bytes.push(bit | short),
        (_, Ok(middle)) => bytes.extend([&[bit | 126], middle.to_be_bytes().as_slice()].concat()),
        _ => bytes.extend([&[bit | 127], length.to_be_bytes().as_slice()].concat()),
    }
    bytes.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
    bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask.map_or(0, |mask| mask[at % 4])));
    bytes
}

pub fn plan(dice: &mut Dice) -> Plan {
    let mask = Some([1, 2, 3, 4]);
    let whole = |first, payload: &[u8]| frame(first, payload.len() as u64, payload, mask);
    let upgraded = |bytes: Vec<u8>| [Step::Send(UPGRADE.as_bytes().to_vec()), Step::Send(bytes)];
    let hello = tcp::opening(dice);
    let end = *dice.pick(&[End::Leave, End::Reset, End::Stay]);
    match dice.below(24) {
        0 => {
            let (right, wrong) = dice.pick(&WRONG);
            Plan::new("a wrong upgrade", [Step::Send(UPGRADE.replacen(right, wrong, 1).into_bytes())], end)
        }
        1 => {
            let head = UPGRADE.trim_end().to_owned() + "\r\nX: ";
            Plan::new("a header without end", [Step::Send(head.into_bytes()), Step::Pour(vec![b'x'; 4096])], End::Stay)
        }
        2 => {
            let head = UPGRADE.trim_end().to_owned() + "\r\n";
            Plan::new(
                "headers without end",
                [Step::Send(head.into_bytes()), Step::Pour(b"A: b\r\n".repeat(500))],
                End::Stay,
            )
        }
        3 => Plan::new("an upgrade, drop by drop", [Step::Drip(UPGRADE.as_bytes().to_vec())], End::Stay),
        4 | 5 => {
            let length = *dice.pick(&[u64::MAX, 1 << 63, 1 << 40, 1 << 31, 3 << 20, 1 << 20]);
            let frame = frame(BINARY, length, &dice.bytes(64), mask);
            Plan::new("a frame of monstrous length", upgraded(frame), End::Stay)
        }
        6 => {
            let frame = frame(BINARY, 1 << 40, &[], mask);
            Plan::new(
                "a monstrous frame in full",
                [upgraded(frame).to_vec(), vec![Step::Pour(vec![7; 4096])]].concat(),
                End::Stay,
            )
        }
        7 => {
            let opcode = 0x80 | u8::try_from(*dice.pick(&[3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf])).expect("a nibble");
            Plan::new("an unknown opcode", upgraded(whole(opcode, &hello)), end)
        }
        8 => Plan::new("an unmasked frame", upgraded(frame(BINARY, hello.len() as u64, &hello, None)), end),
        9 => Plan::new("reserved bits", upgraded(whole(BINARY | 0x70, &hello)), end),
        10 => Plan::new("a continuation of nothing", upgraded(whole(0x80, &hello)), end),
        11 => {
            let parts = [whole(0x02, &hello), whole(0x02, &hello)].concat();
            Plan::new("a message within a message", upgraded(parts), end)
        }
        12 => {
            let parts = whole(0x00, &[9; 1000]);
            let steps = [upgraded(whole(0x02, &hello)).to_vec(), vec![Step::Pour(parts)]].concat();
            Plan::new("a message of endless parts", steps, End::Stay)
        }
        13 => Plan::new(
            "endless pings",
            [upgraded(Vec::new()).to_vec(), vec![Step::Pour(whole(0x89, &[0; 125]))]].concat(),
            End::StayDeaf,
        ),
        14 => Plan::new(
            "empty frames",
            [upgraded(Vec::new()).to_vec(), vec![Step::Pour(whole(BINARY, &[]))]].concat(),
            End::Stay,
        ),
        15 => Plan::new("a long ping", upgraded(whole(0x89, &[0; 4000])), end),
        16 => Plan::new(
            "a farewell, then more",
            upgraded([whole(0x88, &[3, 0xe8]), whole(BINARY, &hello)].concat()),
            End::Stay,
        ),
        17 => Plan::new("text", upgraded(whole(0x81, b"\xff\xfe\xfd not text")), end),
        18 => {
            let size = dice.between(1, 4096);
            Plan::new("frames of garbage", upgraded(whole(BINARY, &dice.bytes(size))), end)
        }
        19 => Plan::new("a garbled opening in frames", upgraded(whole(BINARY, &dice.garble(&hello))), end),
        _ => Plan::common(dice, &[UPGRADE.as_bytes(), &whole(BINARY, &hello)].concat()),
    }
}
