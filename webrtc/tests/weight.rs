//! What a stream says that it holds is what it takes of memory, as the system sees it.
#![cfg(target_os = "linux")]

use bytes::Bytes;
use tincan_webrtc::{FinAckSupport, Limits, frame, machine::Machine};

/// What is held in each case.
const HELD: usize = 16 * 1024 * 1024;
/// What allocators and others may take besides.
const SLACK: usize = 3 * 1024 * 1024;

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("KiB") * 1024
}

fn machine() -> Machine {
    Machine::new(Limits::default(), FinAckSupport::default())
}

/// Lets machines take messages until they say that they hold enough; each of them gets so many. They are returned: what
/// one case frees, the next would use without growing.
#[must_use]
fn weigh(what: &str, each: usize, message: impl Fn(usize) -> Bytes) -> Vec<Machine> {
    let before = resident();
    let (mut machines, mut held) = (Vec::new(), 0);
    while held < HELD {
        let mut machine = machine();
        for n in 0..each {
            machine.receive(message(n));
            if held + machine.held() >= HELD {
                break;
            }
        }
        held += machine.held();
        machines.push(machine);
    }
    let grown = resident().saturating_sub(before);
    println!("{what}: {held} bytes held by {} streams, {grown} bytes of memory", machines.len());
    // A machine by itself is counted by its stream.
    let machines_bytes = machines.len() * size_of::<Machine>();
    assert!(grown <= held + machines_bytes + SLACK, "{what}: {grown} bytes of memory where {held} are counted");
    machines
}

#[test]
fn what_is_held_is_what_it_takes() {
    // A field that nobody knows, of which nothing is kept, and a payload behind it.
    let little_of_much = |_| {
        let unknown = [&[0x1a, 0xa8, 0xc3, 0x03][..], &[7; 57_768]].concat();
        let payload = [&[0x12, 0x80, 0x10][..], &[7; 2048]].concat();
        let length = unknown.len() + payload.len();
        let length = [length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8];
        Bytes::from([&length[..], &unknown, &payload].concat())
    };
    let kept = [
        weigh("frames of four bytes", usize::MAX, |_| frame::data(b"x").repeat(100).into()),
        weigh("a frame of four bytes each", 1, |_| frame::data(b"x")),
        weigh("small and large in turn", usize::MAX, |n| frame::data(&vec![7; if n % 2 == 0 { 1 } else { 2048 }])),
        weigh("little of a large message", usize::MAX, little_of_much),
        weigh("full frames", usize::MAX, |_| frame::data(&vec![7; 16_000])),
        weigh("frames in two messages", usize::MAX, |n| {
            let frame = frame::data(&[7; 40_000]);
            if n % 2 == 0 { frame.slice(..30_000) } else { Bytes::copy_from_slice(&frame[30_000..]) }
        }),
        weigh("frames that have only begun", 1, |_| Bytes::from([&[0xff, 0xff, 3][..], &[7; 60_000]].concat())),
    ];
    assert!(kept.iter().all(|machines| !machines.is_empty()));
}
