//! What holds of a stream's protocol whatever happens, tried with many sequences of happenings.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{
    tests::{machine, now, said},
    *,
};
use crate::frame::MAX_FRAME_BYTES;

#[derive(Debug, Clone)]
enum Act {
    Write(usize),
    Read(usize),
    Finish,
    Deliver(usize),
    Abandon,
    Reset,
}

/// Ends before their time are rarer than what makes progress.
fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..70_000usize).prop_map(Act::Write),
        8 => (1..70_000usize).prop_map(Act::Read),
        8 => (1..9usize).prop_map(Act::Deliver),
        2 => Just(Act::Finish),
        1 => Just(Act::Abandon),
        1 => Just(Act::Reset),
    ]
}

/// One side of the simulated channel.
struct Side {
    machine: Machine,
    on_the_way: VecDeque<Bytes>,
    written: usize,
    read: usize,
    ended: bool,
    given_up: bool,
}

impl Side {
    fn new() -> Self {
        let machine = Machine::new(Limits::default(), FinAckSupport::default());
        Self { machine, on_the_way: VecDeque::new(), written: 0, read: 0, ended: false, given_up: false }
    }

    fn act(&mut self, act: &Act, other: &mut Self) {
        match act {
            Act::Write(count) => {
                let bytes: Vec<u8> = (self.written..self.written + count).map(|at| at as u8).collect();
                if let Ok(Some(taken)) = self.machine.write(&bytes) {
                    self.written += taken;
                }
            }
            Act::Read(count) => {
                let mut buffer = vec![0; *count];
                let read = self.machine.read(&mut buffer);
                assert!(!self.ended || read == Ok(Some(0)), "an end is not taken back: {read:?}");
                match read {
                    Ok(Some(0)) => self.ended = true,
                    Ok(Some(taken)) => {
                        let expected = (self.read..self.read + taken).map(|at| at as u8);
                        assert!(buffer[..taken].iter().copied().eq(expected), "in order, nothing lost, nothing twice");
                        self.read += taken;
                    }
                    Ok(None) | Err(_) => {}
                }
            }
            Act::Finish => drop(self.machine.finish()),
            Act::Deliver(count) => {
                while let Some(frame) = self.machine.next_message() {
                    assert!(frame.len() <= MAX_FRAME_BYTES);
                    self.on_the_way.push_back(frame);
                }
                for frame in self.on_the_way.drain(..self.on_the_way.len().min(*count)) {
                    other.machine.receive(frame);
                }
            }
            Act::Abandon => {
                self.given_up = true;
                self.machine.abandon();
            }
            Act::Reset => {
                self.given_up = true;
                self.machine.reset();
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_both_do_nothing_is_lost_and_everything_ends(acts in prop::collection::vec((any::<bool>(), act()), 1..80)) {
        let mut sides = [Side::new(), Side::new()];
        let mut turn = |index: bool, act: &Act| {
            let [first, second] = &mut sides;
            let (one, other) = if index { (second, first) } else { (first, second) };
            one.act(act, other);
        };
        for (index, act) in &acts {
            turn(*index, act);
        }
        for _ in 0..2000 {
            for index in [false, true] {
                turn(index, &Act::Finish);
                turn(index, &Act::Deliver(usize::MAX));
                turn(index, &Act::Read(100_000));
            }
        }
        let [first, second] = &mut sides;
        if !first.given_up && !second.given_up {
            prop_assert_eq!((first.read, second.read), (second.written, first.written));
            prop_assert!(first.ended && second.ended);
        }
        for side in [first, second] {
            prop_assert!(side.machine.can_close(now()), "{:?}", side.machine);
        }
    }

    #[test]
    fn no_acknowledgement_goes_to_a_peer_that_may_still_read(acts in prop::collection::vec(act(), 1..60), fin in 0..60usize) {
        let (mut side, mut away) = (Side::new(), Side::new());
        let mut finished = false;
        for (index, act) in acts.iter().enumerate() {
            if index == fin {
                side.machine.receive(frame::signal(Flag::Fin));
            }
            if !matches!(act, Act::Deliver(_)) {
                side.act(act, &mut away);
            }
            for flag in said(&mut side.machine).into_iter().flatten() {
                finished |= flag == Flag::Fin;
                prop_assert!(flag != Flag::FinAck || finished);
            }
        }
    }

    #[test]
    fn no_bytes_break_it(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..40)) {
        let mut machine = machine();
        for message in messages {
            machine.receive(message.into());
            let _ = machine.read(&mut [0; 64]);
            while machine.next_message().is_some() {}
            let _ = machine.can_close(now());
        }
    }

    #[test]
    fn a_stream_can_always_give_up_what_it_holds(happenings in prop::collection::vec(happening(), 0..30)) {
        let mut machine = machine();
        for happening in happenings {
            match happening {
                Happening::Message(pieces) => machine.receive(pieces.concat().into()),
                Happening::Write(count) => drop(machine.write(&vec![7; count])),
                Happening::Send => drop(machine.next_message()),
                Happening::Finish => drop(machine.finish()),
                Happening::Closed => machine.channel_closed(),
                Happening::Reset => machine.reset(),
                Happening::Abandon => machine.abandon(),
            }
            if machine.has_failed() {
                prop_assert!(machine.read(&mut []).is_ok() || machine.held() == 0, "{machine:?} keeps what nobody can read");
            }
        }
        machine.overflow(1000);
        prop_assert_eq!(machine.held(), 0, "{:?}", machine);
    }
}

/// What may happen to a stream, in any order.
#[derive(Debug, Clone)]
enum Happening {
    /// Frames, or the beginnings of some, in one message.
    Message(Vec<Vec<u8>>),
    Write(usize),
    Send,
    Finish,
    Closed,
    Reset,
    Abandon,
}

fn happening() -> impl Strategy<Value = Happening> {
    let flag = prop::sample::select(vec![Flag::Fin, Flag::StopSending, Flag::Reset, Flag::FinAck]);
    let piece = prop_oneof![
        4 => (0..30_000usize).prop_map(|count| frame::data(&vec![7; count]).to_vec()),
        1 => flag.prop_map(|flag| frame::signal(flag).to_vec()),
        1 => (0..30_000usize).prop_map(|count| [&[0xff, 0xff, 3][..], &vec![7; count]].concat()),
        1 => Just(vec![1, 0xff]),
    ];
    prop_oneof![
        6 => prop::collection::vec(piece, 1..4).prop_map(Happening::Message),
        2 => (0..70_000usize).prop_map(Happening::Write),
        2 => Just(Happening::Send),
        1 => Just(Happening::Finish),
        1 => Just(Happening::Closed),
        1 => Just(Happening::Reset),
        1 => Just(Happening::Abandon),
    ]
}
