use std::collections::VecDeque;

use super::*;

const MS: Duration = Duration::from_millis(1);
const MIB: usize = 1024 * 1024;
const MESSAGE: usize = 16 * 1024;

#[allow(clippy::disallowed_methods, reason = "an origin for the tests' own clock")]
fn origin() -> Instant {
    Instant::now()
}

/// A path of a certain length and rate: what is written waits its turn and is acknowledged a round trip later.
struct Path {
    now: Instant,
    round_trip: Duration,
    bytes_per_ms: usize,
    /// Not yet sent: whose, and how much of it.
    queue: VecDeque<(u8, usize)>,
    /// Sent: when it will be acknowledged.
    in_flight: VecDeque<(Instant, u8, usize)>,
    buffered: HashMap<u8, usize>,
    acknowledged: HashMap<u8, usize>,
}

impl Path {
    fn new(round_trip: Duration, bytes_per_second: usize) -> Self {
        Self {
            now: origin(),
            round_trip,
            bytes_per_ms: bytes_per_second / 1000,
            queue: VecDeque::new(),
            in_flight: VecDeque::new(),
            buffered: HashMap::new(),
            acknowledged: HashMap::new(),
        }
    }

    fn write(&mut self, window: &mut Window<u8>, id: u8, bytes: usize) {
        window.sent(id, bytes, self.now);
        self.queue.push_back((id, bytes));
        *self.buffered.entry(id).or_default() += bytes;
    }

    /// A millisecond passes. Returns whose writers are told to go on.
    fn pass(&mut self, window: &mut Window<u8>) -> Vec<u8> {
        let mut left = self.bytes_per_ms;
        while let Some((id, bytes)) = self.queue.front_mut().filter(|_| left > 0) {
            let sent = left.min(*bytes);
            self.in_flight.push_back((self.now + self.round_trip, *id, sent));
            left -= sent;
            *bytes -= sent;
            if *bytes == 0 {
                self.queue.pop_front();
            }
        }
        self.now += MS;
        while let Some((_, id, bytes)) = self.in_flight.pop_front_if(|(due, ..)| *due <= self.now) {
            *self.buffered.entry(id).or_default() -= bytes;
            *self.acknowledged.entry(id).or_default() += bytes;
        }
        let buffered = self.buffered.clone();
        window.update(self.now, |id| buffered.get(&id).copied().unwrap_or(0))
    }
}

/// Lets so many streams write all they may for so long. Each goes on only when it is told.
fn write_all(path: &mut Path, window: &mut Window<u8>, streams: u8, time: Duration) {
    let mut may_write: Vec<u8> = (0..streams).collect();
    for _ in 0..time.as_millis() {
        for id in may_write.drain(..) {
            while window.has_room(id) {
                path.write(window, id, MESSAGE);
            }
        }
        may_write = path.pass(window);
    }
}

/// Bytes a second in the last second of three, and the most in flight.
fn bulk(round_trip: Duration, bytes_per_second: usize) -> (usize, usize) {
    let (mut path, mut window) = (Path::new(round_trip, bytes_per_second), Window::new());
    write_all(&mut path, &mut window, 1, 2000 * MS);
    let before = path.acknowledged[&0];
    write_all(&mut path, &mut window, 1, 1000 * MS);
    (path.acknowledged[&0] - before, window.size)
}

#[test]
fn a_long_fast_path_is_filled() {
    for (round_trip, rate) in [(50 * MS, 20 * MIB), (100 * MS, 8 * MIB), (20 * MS, 40 * MIB)] {
        let (got, size) = bulk(round_trip, rate);
        assert!(got * 10 >= rate * 9, "{got} bytes/s of {rate} at {round_trip:?}, window {size}");
        assert!(size <= MAX_WINDOW);
    }
}

#[test]
fn a_slow_path_gets_no_long_queue() {
    for (round_trip, rate) in [(50 * MS, 100_000), (50 * MS, 2 * MIB), (200 * MS, MIB)] {
        let (got, size) = bulk(round_trip, rate);
        let in_a_round_trip = rate * round_trip.as_millis() as usize / 1000;
        assert!(got * 10 >= rate * 9, "{got} bytes/s of {rate} at {round_trip:?}, window {size}");
        assert!(size <= MIN_WINDOW.max(4 * in_a_round_trip), "{size} in flight, {in_a_round_trip} in a round trip");
    }
}

#[test]
fn a_short_path_keeps_a_short_window() {
    let (_, size) = bulk(MS, 80 * MIB);
    assert!(size <= 512 * 1024, "{size}");
}

#[test]
fn many_streams_share_one_window_and_all_go_on() {
    const STREAMS: u8 = 200;
    let (mut path, mut window) = (Path::new(50 * MS, 20 * MIB), Window::new());
    for _ in 0..30 {
        write_all(&mut path, &mut window, STREAMS, 100 * MS);
        assert!(window.total <= MAX_WINDOW.max(usize::from(STREAMS) * 2 * MESSAGE), "{}", window.total);
    }
    let least = (0..STREAMS).map(|id| path.acknowledged.get(&id).copied().unwrap_or(0)).min().unwrap();
    let most = path.acknowledged.values().copied().max().unwrap();
    assert!(least * 2 >= most, "one got {least}, another {most}");
}

#[test]
fn a_late_acknowledgement_of_a_single_packet_is_no_round_trip() {
    let mut window = Window::new();
    let began = origin();
    window.sent(0, 17, began);
    window.update(began + 200 * MS, |_| 0);
    assert_eq!(window.round_trip, None);
    window.sent(0, MESSAGE, began + 300 * MS);
    window.update(began + 350 * MS, |_| MESSAGE / 2);
    assert_eq!(window.round_trip, Some(50 * MS));
}

#[test]
fn a_round_trip_falls_at_once_and_rises_slowly() {
    let (mut window, mut now) = (Window::new(), origin());
    let mut exchange = |took: u32| {
        window.sent(0, MESSAGE, now);
        now += took * MS;
        window.update(now, |_| 0);
        window.round_trip.unwrap()
    };
    assert_eq!(exchange(50), 50 * MS);
    assert_eq!(exchange(20), 20 * MS);
    assert_eq!(exchange(1020), 520 * MS);
    assert_eq!(exchange(20), 20 * MS);
}

#[test]
fn a_channel_that_is_gone_gives_its_share_back() {
    let mut window = Window::new();
    let now = origin();
    for id in 0..2 {
        window.sent(id, MIN_WINDOW / 2, now);
    }
    assert!(!window.has_room(0));
    window.remove(1);
    assert_eq!(window.update(now, |_| MIN_WINDOW / 2), [0]);
    assert!(window.has_room(0));
}

/// The other side acknowledges all but the first chunk, so that no byte is in flight.
#[test]
fn chunks_behind_a_gap_are_under_way() {
    let (mut window, now) = (Window::new(), origin());
    let mut written = 0;
    let mut write = |window: &mut Window<u8>, id| {
        let has_room = window.has_room(id);
        if has_room {
            window.sent(id, 4, now);
            written += 1;
        }
        (has_room, written)
    };
    while write(&mut window, 0).0 {}
    assert_eq!(write(&mut window, 0).1, MAX_SHARED_CHUNKS, "not sent yet");
    let in_flight = |chunks, messages| InFlightCounts { chunks, messages };
    window.set_in_flight(in_flight(MAX_SHARED_CHUNKS, MAX_SHARED_CHUNKS));
    assert!(window.update(now, |_| 4).is_empty());
    assert!(write(&mut window, 1).0, "a stream with nothing in flight has room beside them");
    window.set_in_flight(in_flight(MAX_SHARED_CHUNKS, MAX_SHARED_CHUNKS + 1));
    assert_eq!(window.update(now, |_| 0), [0], "now this one has nothing in flight either");
    for id in (0..=u8::MAX).cycle() {
        let (has_room, written) = write(&mut window, id);
        window.set_in_flight(in_flight(written, written));
        window.update(now, |_| 0);
        if !has_room {
            break;
        }
    }
    let (has_room, messages) = write(&mut window, 9);
    assert_eq!((has_room, messages), (false, MAX_CHUNKS));
    window.set_in_flight(in_flight(1, messages));
    let told = window.update(now, |_| 0);
    assert!(told.contains(&9), "the gap is filled");
}

#[test]
fn a_message_that_goes_with_its_channel_is_not_waited_for() {
    let (mut window, now) = (Window::new(), origin());
    for _ in 0..MAX_SHARED_CHUNKS {
        window.sent(0, 4, now);
    }
    assert!(!window.has_room(0));
    window.remove(0);
    window.update(now, |_| 0);
    assert!(window.has_room(0));
    assert_eq!(window.chunks(), 0);
}
