//! Plain TCP: multistream-select, then Noise.

use super::{
    dice::Dice,
    plan::{End, Plan, Step},
};

const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n";
const NOISE: &[u8] = b"\x07/noise\n";
/// Bytes of Noise XX's first message: a key without payload.
const FIRST_MESSAGE: usize = 32;

/// How an honest peer begins, up to and with the first Noise message.
pub fn opening(dice: &mut Dice) -> Vec<u8> {
    let message = dice.bytes(FIRST_MESSAGE);
    [MULTISTREAM, NOISE, &[0, 32], &message].concat()
}

pub fn plan(dice: &mut Dice) -> Plan {
    let opening = opening(dice);
    let agreed = [MULTISTREAM, NOISE].concat();
    let announced = |length: u16, dice: &mut Dice| {
        let count = usize::from(length).min(dice.between(0, 2048));
        Step::Send([agreed.as_slice(), &length.to_be_bytes(), &dice.bytes(count)].concat())
    };
    match dice.below(18) {
        0 => Plan::new("a length of 64 bits", [Step::Send(vec![0xff; 9])], End::Stay),
        1 => Plan::new("a length that never ends", [Step::Pour(vec![0x80; 1024])], End::Stay),
        2 => Plan::new(
            "a long protocol name",
            [Step::Send([MULTISTREAM, b"\xff\x7f/"].concat()), Step::Pour(vec![b'x'; 1024])],
            End::Stay,
        ),
        3 => {
            let proposals = b"\x05/nay\n".repeat(200);
            Plan::new("never agrees", [Step::Send(MULTISTREAM.to_vec()), Step::Pour(proposals)], End::Stay)
        }
        4 => {
            let asked = [MULTISTREAM, &b"\x03ls\n".repeat(dice.between(1, 2000))].concat();
            Plan::new("asks for all protocols", [Step::Send(asked)], End::Stay)
        }
        5 => Plan::new("the longest Noise message, not sent", [announced(u16::MAX, dice)], End::Stay),
        6 => {
            let length = u16::try_from(dice.below(usize::from(u16::MAX))).expect("a length");
            Plan::new("a Noise message of any length", [announced(length, dice)], *dice.pick(&[End::Leave, End::Stay]))
        }
        7 => Plan::new("empty Noise messages", [Step::Send(agreed), Step::Pour(vec![0; 512])], End::Stay),
        8 => {
            let reply = dice.bytes(300);
            let third = [opening.as_slice(), &[1, 44], &reply].concat();
            Plan::new("a third message that does not decrypt", [Step::Send(third)], End::Stay)
        }
        9 => Plan::new("a long talk to nobody", [Step::Send(opening)], End::StayDeaf),
        _ => Plan::common(dice, &opening),
    }
}
