//! What looks like QUIC to one who looks briefly.

use super::{dice::Dice, proto};

/// Bytes of an Initial that a hub must look at.
const INITIAL: usize = 1200;
const VERSION_1: [u8; 4] = [0, 0, 0, 1];

pub fn datagram(dice: &mut Dice) -> Vec<u8> {
    let size = dice.between(0, 1500);
    match dice.below(8) {
        0 => dice.bytes(size),
        1 => initial(dice, VERSION_1, 8, INITIAL),
        // A version that nobody speaks calls for a list of versions.
        2 => {
            let version = *dice.pick(&[[0; 4], [0xff; 4], [0x0a, 0x1a, 0x2a, 0x3a]]);
            initial(dice, version, 20, INITIAL)
        }
        3 => {
            let length = *dice.pick(&[0, 1, 21, 255]);
            initial(dice, VERSION_1, length, INITIAL)
        }
        // Too short for an Initial.
        4 => initial(dice, VERSION_1, 8, 100),
        // A short header: of a connection that never was.
        5 => [vec![0x40], dice.bytes(size)].concat(),
        6 => {
            let whole = initial(dice, VERSION_1, 8, INITIAL);
            dice.cut(&whole)
        }
        // Several packets in one datagram.
        _ => (0..20).flat_map(|_| initial(dice, VERSION_1, 8, 300)).collect(),
    }
}

/// A long header with ids of this length, a token, a length and what cannot be decrypted.
fn initial(dice: &mut Dice, version: [u8; 4], id: usize, size: usize) -> Vec<u8> {
    let length = u8::try_from(id).expect("a byte");
    let mut bytes = [&[0xc0 | *dice.pick(&[0, 0x10, 0x20, 0x30])], version.as_slice(), &[length]].concat();
    bytes.extend(dice.bytes(id));
    bytes.push(length);
    bytes.extend(dice.bytes(id));
    let token = *dice.pick(&[0, 32, 1 << 20]);
    bytes.extend(proto::varint(token));
    let rest = size.saturating_sub(bytes.len() + 2);
    bytes
        .extend([0x40 | u8::try_from(rest >> 8 & 0x3f).expect("six bits"), u8::try_from(rest & 0xff).expect("a byte")]);
    bytes.extend(dice.bytes(rest));
    bytes
}
