//! Messages of a data channel, as a peer sends them, to a stream that reads, answers and closes meanwhile.

use tincan_webrtc::{
    FinAckSupport, Limits,
    frame::{self, Flag, MAX_FRAME_BYTES},
    machine::Machine,
};

/// Few enough to be exceeded.
const HELD_BYTES: usize = 4096;

/// Each message comes after a byte that says what is done then, and a byte that tells the message's length.
pub(crate) fn run(bytes: &[u8]) {
    let mut machine = Machine::new(Limits::default(), FinAckSupport::default());
    let (mut rest, mut unread, mut buffer) = (bytes, 0, [0; 512]);
    while let [act, length, tail @ ..] = rest {
        let (message, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        unread += message.len();
        machine.receive(message.to_vec().into());
        if machine.held() > HELD_BYTES {
            machine.overflow(HELD_BYTES);
        }
        match act % 8 {
            0 => drop(machine.finish()),
            1 => drop(machine.write(message)),
            2 => machine.abandon(),
            3 => machine.reset(),
            4 => machine.channel_closed(),
            5 => while machine.next_message().is_some_and(|frame| frame.len() <= MAX_FRAME_BYTES) {},
            _ => {
                while let Ok(Some(count @ 1..)) = machine.read(&mut buffer) {
                    assert!(count <= unread, "more is read than came");
                    unread -= count;
                }
            }
        }
    }
}

pub(crate) fn examples() -> Vec<Vec<u8>> {
    let message = |act: u8, message: &[u8]| [&[act, u8::try_from(message.len()).unwrap_or(u8::MAX)], message].concat();
    let flags = [Flag::Fin, Flag::StopSending, Flag::Reset, Flag::FinAck].map(frame::signal);
    let talk = flags.iter().map(|flag| [message(6, &frame::data(b"hello")), message(5, flag)].concat());
    let cut = frame::data(&[7; 100]);
    talk.chain([[message(1, &cut[..50]), message(0, &cut[50..])].concat()]).collect()
}
