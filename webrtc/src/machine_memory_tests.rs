//! What a stream holds in memory, and how its writers wait for room.

use super::{
    tests::{machine, said},
    *,
};
use crate::frame::MAX_FRAME_BYTES;

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
    assert_eq!(machine.read(&mut [0; 10]), Err(StreamError::TooMuchUnread(1000)));
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
            Err(StreamError::TooMuchUnread(1000)),
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
    let mut machine = Machine::new(limits, FinAckSupport::default());
    let taken = machine.write(&[1; 100_000]).unwrap().unwrap();
    assert_eq!(taken, 40_000);
    assert_eq!(machine.write(b"more"), Ok(None));
    assert_eq!(machine.write(b""), Ok(Some(0)));
    machine.next_message().unwrap();
    assert!(machine.write(b"more").unwrap().is_some());
}
