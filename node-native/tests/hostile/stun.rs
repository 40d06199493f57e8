//! What arrives at WebRTC's socket: binding requests of strangers, and DTLS without a beginning.

use super::dice::Dice;

const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;
const INTEGRITY: u16 = 0x0008;
const REQUEST: u16 = 0x0001;

pub fn datagram(dice: &mut Dice) -> Vec<u8> {
    let size = dice.between(0, 1500);
    match dice.below(9) {
        0 => dice.bytes(size),
        1 => binding(dice, REQUEST, &ufrags(dice.clone().number())),
        2 => binding(dice, REQUEST, ""),
        3 => binding(dice, REQUEST, &"u".repeat(dice.clone().between(1, 60_000))),
        4 => {
            let whole = binding(dice, REQUEST, &ufrags(1));
            dice.garble(&whole)
        }
        5 => {
            let whole = binding(dice, REQUEST, &ufrags(2));
            dice.cut(&whole)
        }
        6 => {
            let kind = u16::try_from(dice.below(0x4000)).expect("fourteen bits");
            binding(dice, kind, "no colon")
        }
        // A client's greeting in DTLS, and its length a lie.
        7 => [&[0x16, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1], dice.bytes(size).as_slice()].concat(),
        _ => [&[dice.clone().between(128, 191) as u8], dice.bytes(size).as_slice()].concat(),
    }
}

/// As libp2p has it: both sides' ufrags are one.
fn ufrags(number: u64) -> String {
    let one = format!("libp2p+webrtc+v1/{number:032x}");
    format!("{one}:{one}")
}

fn binding(dice: &mut Dice, kind: u16, username: &str) -> Vec<u8> {
    let attribute = |name: u16, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        let padding = vec![0; (4 - value.len() % 4) % 4];
        [&name.to_be_bytes(), length.to_be_bytes().as_slice(), value, &padding].concat()
    };
    let attributes = [attribute(USERNAME, username.as_bytes()), attribute(INTEGRITY, &dice.bytes(20))].concat();
    let length = u16::try_from(attributes.len()).unwrap_or(u16::MAX);
    [&kind.to_be_bytes(), length.to_be_bytes().as_slice(), &MAGIC, &dice.bytes(12), &attributes].concat()
}
