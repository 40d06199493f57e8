use proptest::prelude::*;

use super::*;
use crate::frame::{MAX_FRAME_BYTES, Malformed};

#[allow(clippy::disallowed_methods, reason = "an origin for the tests' own clock")]
fn now() -> Instant {
    Instant::now()
}

fn machine() -> Machine {
    Machine::new(Limits::default(), Acknowledging::default())
}

/// All frames, as flags; payload counts as none.
fn said(machine: &mut Machine) -> Vec<Option<Flag>> {
    let (mut flags, mut decoder) = (Vec::new(), Decoder::default());
    while let Some(bytes) = machine.next_message() {
        decoder.read(bytes, |frame| flags.push(frame.flag)).unwrap();
    }
    flags
}

fn pass(from: &mut Machine, to: &mut Machine) {
    while let Some(frame) = from.next_message() {
        to.receive(frame);
    }
}

fn read_all(machine: &mut Machine) -> (Vec<u8>, Result<Option<usize>, Broken>) {
    let (mut all, mut buffer) = (Vec::new(), [0; 1000]);
    loop {
        match machine.read(&mut buffer) {
            Ok(Some(count)) if count > 0 => all.extend_from_slice(&buffer[..count]),
            ended => return (all, ended),
        }
    }
}

#[test]
fn a_question_and_its_answer_with_half_closing() {
    let (mut asker, mut answerer) = (machine(), machine());
    asker.write(b"question").unwrap();
    assert_eq!(asker.finish(), Ok(false));
    pass(&mut asker, &mut answerer);
    assert_eq!(asker.finish(), Ok(true), "told");
    assert_eq!(read_all(&mut answerer), (b"question".to_vec(), Ok(Some(0))));
    assert!(answerer.next_message().is_none(), "whether the asker reads FIN_ACK is not known");
    answerer.write(b"answer").unwrap();
    answerer.finish().unwrap();
    pass(&mut answerer, &mut asker);
    assert_eq!(read_all(&mut asker), (b"answer".to_vec(), Ok(Some(0))));
    pass(&mut asker, &mut answerer);
    assert!(asker.is_over(now()) && answerer.is_over(now()), "both have had their FIN_ACK");
    assert!(asker.acknowledging.is_known() && answerer.acknowledging.is_known());
}

#[test]
fn who_acknowledges_is_acknowledged_at_once() {
    let mut machine = machine();
    machine.acknowledging.learn();
    machine.receive(frame::signal(Flag::Fin));
    assert_eq!(said(&mut machine), [Some(Flag::FinAck)]);
    machine.write(b"more").unwrap();
    assert_eq!(said(&mut machine), [None], "its own direction stays open");
}

#[test]
fn payload_beside_fin_is_kept() {
    let mut machine = machine();
    machine.receive(Bytes::from_static(&[0x06, 0x08, 0, 0x12, 2, b'h', b'i']));
    assert_eq!(read_all(&mut machine), (b"hi".to_vec(), Ok(Some(0))));
}

#[test]
fn a_reset_is_an_error_and_no_end() {
    let mut machine = machine();
    machine.receive(frame::data(b"half"));
    machine.receive(frame::signal(Flag::Reset));
    assert_eq!(read_all(&mut machine), (b"half".to_vec(), Err(Broken::Reset)));
    assert_eq!(machine.write(b"x"), Err(Unwritable::Broken(Broken::Reset)));
    assert!(said(&mut machine).is_empty() && machine.is_over(now()));
}

#[test]
fn what_came_before_an_end_stays_whole_whatever_follows_it() {
    let (whole, fin) = (frame::data(b"all of it"), frame::signal(Flag::Fin));
    let mut reset = machine();
    reset.receive([&whole[..], &fin, &frame::signal(Flag::Reset)].concat().into());
    assert_eq!(reset.write(b"x"), Err(Unwritable::Broken(Broken::Reset)));
    assert_eq!(read_all(&mut reset), (b"all of it".to_vec(), Ok(Some(0))));
    assert!(said(&mut reset).is_empty() && reset.is_over(now()));
    // Whoever has read the end is told nothing else later.
    let follows: [fn(&mut Machine); 4] = [
        |machine| machine.receive(frame::signal(Flag::Reset)),
        |machine| machine.receive(Bytes::from_static(&[1, 0xff])),
        |machine| machine.overflow(1000),
        Machine::channel_closed,
    ];
    for follow in follows {
        let mut machine = machine();
        machine.receive([&whole[..], &fin].concat().into());
        assert_eq!(read_all(&mut machine), (b"all of it".to_vec(), Ok(Some(0))));
        follow(&mut machine);
        assert_eq!(machine.read(&mut [0; 8]), Ok(Some(0)), "{machine:?}");
        assert!(matches!(machine.write(b"x"), Err(Unwritable::Broken(_))), "{machine:?}");
    }
}

#[test]
fn a_reset_after_the_last_acknowledgement_loses_nothing_that_was_written() {
    for (last, expected) in [(Some(Flag::FinAck), Ok(true)), (None, Err(Broken::Reset))] {
        let mut machine = machine();
        machine.write(b"all of it").unwrap();
        machine.finish().unwrap();
        said(&mut machine);
        last.into_iter().for_each(|flag| machine.receive(frame::signal(flag)));
        machine.receive(frame::signal(Flag::Reset));
        assert_eq!(machine.is_flushed(), expected);
    }
}

#[test]
fn who_reads_no_more_is_sent_no_more() {
    let (mut writer, mut reader) = (machine(), machine());
    reader.finish().unwrap();
    reader.abandon();
    assert_eq!(said(&mut reader), [Some(Flag::StopSending), Some(Flag::Fin)]);
    writer.write(&[1; 1000]).unwrap();
    writer.receive(frame::signal(Flag::StopSending));
    assert_eq!(writer.write(b"x"), Err(Unwritable::Stopped));
    assert_eq!(writer.read(&mut [0]), Ok(None), "which is no end of the other direction");
    assert_eq!(said(&mut writer), [Some(Flag::Fin)], "the last word, and no payload");
}

#[test]
fn a_stream_dropped_before_its_end_is_reset() {
    let mut machine = machine();
    machine.write(b"half a message").unwrap();
    machine.abandon();
    assert!(!machine.is_over(now()), "the peer is told first");
    assert_eq!(said(&mut machine), [Some(Flag::Reset)]);
    assert!(machine.is_over(now()));
}

#[test]
fn an_answer_whose_stream_is_dropped_arrives_whole() {
    let (mut asker, mut answerer) = (machine(), machine());
    asker.write(b"question").unwrap();
    asker.finish().unwrap();
    pass(&mut asker, &mut answerer);
    answerer.write(b"answer").unwrap();
    answerer.abandon();
    pass(&mut answerer, &mut asker);
    assert_eq!(read_all(&mut asker), (b"answer".to_vec(), Ok(Some(0))));
    pass(&mut asker, &mut answerer);
    assert!(asker.is_over(now()) && answerer.is_over(now()));
}

#[test]
fn a_large_frames_length_goes_ahead_and_nothing_between() {
    let mut machine = machine();
    machine.acknowledging.learn();
    machine.write(&[7; 5000]).unwrap();
    let length = machine.next_message().unwrap();
    machine.receive(frame::signal(Flag::Fin));
    let rest = machine.next_message().unwrap();
    assert_eq!((length.len(), rest.len()), (2, 5003));
    assert_eq!(said(&mut machine), [Some(Flag::FinAck)]);
    machine.write(&[7; 4000]).unwrap();
    assert_eq!(machine.next_message().unwrap().len(), 4005, "a small one goes at once");
}

#[test]
fn a_channel_that_closes_after_the_last_words_loses_nothing() {
    let mut machine = machine();
    assert_eq!(machine.write(b"question"), Ok(Some(8)));
    machine.receive(frame::signal(Flag::StopSending));
    machine.receive(frame::signal(Flag::Fin));
    machine.channel_closed();
    assert_eq!(machine.is_flushed(), Ok(true));
    assert_eq!(machine.read(&mut [0; 8]), Ok(Some(0)));
}

#[test]
fn what_was_written_before_the_end_goes_out_after_the_drop() {
    let (mut writer, mut reader) = (machine(), machine());
    writer.write(&[5; 50_000]).unwrap();
    writer.finish().unwrap();
    writer.abandon();
    pass(&mut writer, &mut reader);
    let (read, ended) = read_all(&mut reader);
    assert_eq!((read.len(), ended), (50_000, Ok(Some(0))));
}

#[test]
fn a_peer_without_acknowledgements_is_waited_for_within_a_bound() {
    let (mut machine, start) = (machine(), now());
    machine.finish().unwrap();
    said(&mut machine);
    assert!(!machine.is_over(start));
    assert_eq!(machine.deadline(), None, "the other direction may take as long as it likes");
    machine.receive(frame::signal(Flag::Fin));
    assert_eq!(said(&mut machine), [Some(Flag::FinAck)]);
    assert!(!machine.is_over(start));
    assert_eq!(machine.deadline(), Some(start + CLOSE_PATIENCE));
    assert!(machine.is_over(start + CLOSE_PATIENCE));
}

#[test]
fn what_is_held_is_counted_and_given_up_at_a_bound() {
    let mut machine = machine();
    assert_eq!(machine.held(), 0);
    machine.receive(frame::data(&[0; 1000]));
    let unread = machine.held();
    assert!((1000..4000).contains(&unread), "{unread}");
    // The beginning of a frame counts, too.
    machine.receive(Bytes::from(vec![0xff, 0xff, 3]));
    machine.receive(Bytes::from(vec![7; 5000]));
    assert!(machine.held() >= unread + 5000);
    machine.write(b"unsent").unwrap();
    machine.overflow(1000);
    assert_eq!(machine.held(), 0);
    assert_eq!(machine.read(&mut [0; 10]), Err(Broken::TooMuchUnread(1000)));
    assert_eq!(said(&mut machine), [Some(Flag::Reset)]);
}

#[test]
fn a_stream_that_ended_with_bytes_unread_gives_them_up_too() {
    let whole = || frame::data(&[7; 20_000]);
    let begun = [&[0xff, 0xff, 3][..], &[7; 60_000]].concat();
    let mut reset = machine();
    reset.receive([&whole()[..], &whole(), &frame::signal(Flag::Reset), &begun].concat().into());
    let unread = reset.held();
    assert!((40_000..50_000).contains(&unread), "{unread}: what had begun behind the reset is not kept");
    let mut closed = machine();
    closed.receive([&whole()[..], &frame::signal(Flag::Fin)].concat().into());
    closed.receive(begun.into());
    closed.channel_closed();
    assert!((20_000..30_000).contains(&closed.held()), "{}", closed.held());
    for mut machine in [reset, closed] {
        machine.overflow(1000);
        assert_eq!(machine.held(), 0);
        assert_eq!(
            machine.read(&mut [0; 10]),
            Err(Broken::TooMuchUnread(1000)),
            "no end of the stream, as bytes are lost"
        );
        assert!(said(&mut machine).is_empty(), "the peer has ended it already");
    }
}

#[test]
fn a_frame_in_two_messages_counts_as_the_memory_that_it_keeps() {
    let frame = frame::data(&[7; 40_000]);
    let mut machine = machine();
    machine.receive(frame.slice(..30_000));
    assert_eq!(machine.held(), 30_000);
    machine.receive(frame.slice(30_000..));
    // Memory that grows doubles.
    assert!((60_000..61_000).contains(&machine.held()), "{}", machine.held());
}

#[test]
fn tiny_frames_cost_as_much_as_their_bytes() {
    let mut machine = machine();
    for _ in 0..100_000 {
        machine.receive(frame::data(b"x"));
    }
    assert!((100_000..120_000).contains(&machine.held()), "{}", machine.held());
}

#[test]
fn a_tight_writer_gets_one_frame_at_a_time() {
    let mut machine = machine();
    let taken = machine.write_frame(&[1; 100_000]).unwrap().unwrap();
    assert!(taken < MAX_FRAME_BYTES, "{taken}");
    assert_eq!(machine.write_frame(b"more"), Ok(None));
    while machine.next_message().is_some() {}
    assert_eq!(machine.write_frame(b"more"), Ok(Some(4)));
}

#[test]
fn writers_wait_while_the_channel_takes_nothing() {
    let limits = Limits { unsent_bytes: 40_000, ..Limits::default() };
    let mut machine = Machine::new(limits, Acknowledging::default());
    let taken = machine.write(&[1; 100_000]).unwrap().unwrap();
    assert_eq!(taken, 40_000);
    assert_eq!(machine.write(b"more"), Ok(None));
    assert_eq!(machine.write(b""), Ok(Some(0)));
    machine.next_message().unwrap();
    assert!(machine.write(b"more").unwrap().is_some());
}

#[test]
fn what_came_before_the_channel_closed_is_read_first() {
    for (fin, expected) in [(true, Ok(Some(0))), (false, Err(Broken::Closed))] {
        let mut machine = machine();
        machine.receive(frame::data(b"last words"));
        if fin {
            machine.receive(frame::signal(Flag::Fin));
        }
        machine.channel_closed();
        assert_eq!(read_all(&mut machine), (b"last words".to_vec(), expected));
        assert_eq!(machine.write(b"x"), Err(Unwritable::Broken(Broken::Closed)));
        assert!(machine.is_over(now()));
    }
}

#[test]
fn garbage_resets_the_stream() {
    let mut machine = machine();
    machine.receive(Bytes::from_static(&[1, 0xff]));
    assert_eq!(machine.read(&mut [0]), Err(Broken::Malformed(Malformed::Garbage)));
    assert_eq!(said(&mut machine), [Some(Flag::Reset)]);
}

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
        let machine = Machine::new(Limits::default(), Acknowledging::default());
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
            prop_assert!(side.machine.is_over(now()), "{:?}", side.machine);
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
            let _ = machine.is_over(now());
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
            if machine.is_broken() {
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
