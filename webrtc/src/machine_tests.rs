use super::*;
use crate::frame::Malformed;

#[allow(clippy::disallowed_methods, reason = "an origin for the tests' own clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

pub(super) fn machine() -> Machine {
    Machine::new(Limits::default(), FinAckSupport::default())
}

/// All frames, as flags; payload counts as none.
pub(super) fn said(machine: &mut Machine) -> Vec<Option<Flag>> {
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

fn read_all(machine: &mut Machine) -> (Vec<u8>, Result<Option<usize>, StreamError>) {
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
    assert!(asker.can_close(now()) && answerer.can_close(now()), "both have had their FIN_ACK");
    assert!(asker.fin_ack.is_confirmed() && answerer.fin_ack.is_confirmed());
}

#[test]
fn who_acknowledges_is_acknowledged_at_once() {
    let mut machine = machine();
    machine.fin_ack.confirm();
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
    assert_eq!(read_all(&mut machine), (b"half".to_vec(), Err(StreamError::Reset)));
    assert_eq!(machine.write(b"x"), Err(WriteError::Failed(StreamError::Reset)));
    assert!(said(&mut machine).is_empty() && machine.can_close(now()));
}

#[test]
fn what_came_before_an_end_stays_whole_whatever_follows_it() {
    let (whole, fin) = (frame::data(b"all of it"), frame::signal(Flag::Fin));
    let mut reset = machine();
    reset.receive([&whole[..], &fin, &frame::signal(Flag::Reset)].concat().into());
    assert_eq!(reset.write(b"x"), Err(WriteError::Failed(StreamError::Reset)));
    assert_eq!(read_all(&mut reset), (b"all of it".to_vec(), Ok(Some(0))));
    assert!(said(&mut reset).is_empty() && reset.can_close(now()));
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
        assert!(matches!(machine.write(b"x"), Err(WriteError::Failed(_))), "{machine:?}");
    }
}

#[test]
fn a_reset_after_the_last_acknowledgement_loses_nothing_that_was_written() {
    for (last, expected) in [(Some(Flag::FinAck), Ok(true)), (None, Err(StreamError::Reset))] {
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
    assert_eq!(writer.write(b"x"), Err(WriteError::Stopped));
    assert_eq!(writer.read(&mut [0]), Ok(None), "which is no end of the other direction");
    assert_eq!(said(&mut writer), [Some(Flag::Fin)], "the last word, and no payload");
}

#[test]
fn a_stream_dropped_before_its_end_is_reset() {
    let mut machine = machine();
    machine.write(b"half a message").unwrap();
    machine.abandon();
    assert!(!machine.can_close(now()), "the peer is told first");
    assert_eq!(said(&mut machine), [Some(Flag::Reset)]);
    assert!(machine.can_close(now()));
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
    assert!(asker.can_close(now()) && answerer.can_close(now()));
}

#[test]
fn a_large_frames_length_goes_ahead_and_nothing_between() {
    let mut machine = machine();
    machine.fin_ack.confirm();
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
    assert!(!machine.can_close(start));
    assert_eq!(machine.deadline(), None, "the other direction may take as long as it likes");
    machine.receive(frame::signal(Flag::Fin));
    assert_eq!(said(&mut machine), [Some(Flag::FinAck)]);
    assert!(!machine.can_close(start));
    assert_eq!(machine.deadline(), Some(start + FIN_ACK_TIMEOUT));
    assert!(machine.can_close(start + FIN_ACK_TIMEOUT));
}

#[test]
fn what_came_before_the_channel_closed_is_read_first() {
    for (fin, expected) in [(true, Ok(Some(0))), (false, Err(StreamError::Closed))] {
        let mut machine = machine();
        machine.receive(frame::data(b"last words"));
        if fin {
            machine.receive(frame::signal(Flag::Fin));
        }
        machine.channel_closed();
        assert_eq!(read_all(&mut machine), (b"last words".to_vec(), expected));
        assert_eq!(machine.write(b"x"), Err(WriteError::Failed(StreamError::Closed)));
        assert!(machine.can_close(now()));
    }
}

#[test]
fn garbage_resets_the_stream() {
    let mut machine = machine();
    machine.receive(Bytes::from_static(&[1, 0xff]));
    assert_eq!(machine.read(&mut [0]), Err(StreamError::Malformed(Malformed::Garbage)));
    assert_eq!(said(&mut machine), [Some(Flag::Reset)]);
}
