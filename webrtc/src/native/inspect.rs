//! What strangers may say in SCTP: no more than a peer of libp2p does.
//!
//! str0m and sctp-proto bound neither streams nor what they keep of a message besides its payload, and go through all
//! streams for each chunk. So packets are looked at where DTLS hands them on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use super::{
    order::Order,
    sctp::{Chunk, Data, chunks},
};

/// Streams have smaller numbers; other libp2p programs number them from 0 on, and browsers have 1,024.
pub(super) const MAX_STREAM_IDS: u16 = 2048;
/// Streams that carry something before anybody has opened them.
const MAX_STRANGE_STREAMS: u32 = 64;
/// Bytes of a message that opens a channel; those of libp2p have neither label nor protocol.
const MAX_OPEN_BYTES: usize = 512;
/// Bytes that a chunk costs besides its payload, in the association's queues.
const CHUNK_BYTES: usize = 256;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// As on its way.
    Lose,
    /// It ends the connection.
    End(&'static str),
}

/// How far a connection has come in proving who the other side is.
#[derive(Debug)]
pub(super) struct Gate {
    listens: bool,
    unproven_bytes: usize,
    /// Messages sent on the handshake's channel.
    said: AtomicU32,
    proven: AtomicBool,
}

impl Gate {
    /// For a connection that may cost so many bytes until then.
    pub(super) fn new(listens: bool, unproven_bytes: usize) -> Arc<Self> {
        Arc::new(Self { listens, unproven_bytes, said: AtomicU32::new(0), proven: AtomicBool::new(false) })
    }

    /// A message was sent on the handshake's channel.
    pub(super) fn say(&self) {
        self.said.fetch_add(1, Ordering::Relaxed);
    }

    /// The other side has proved who it is.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Whether our part of Noise is said, two messages of the listener and one of the dialer: the other side may be through
    /// with it before we are, and open streams.
    fn is_said(&self) -> bool {
        self.said.load(Ordering::Relaxed) > u32::from(self.listens)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Inspector {
    gate: Arc<Gate>,
    /// Of the association; a second one would be kept beside it.
    tag: Option<u32>,
    order: Order,
    opened: Streams,
    strange: Streams,
    /// Bytes that came before the other side proved who it is.
    early_bytes: usize,
}

impl Inspector {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        let (opened, strange) = (Streams::default(), Streams::default());
        Self { gate, tag: None, order: Order::default(), opened, strange, early_bytes: 0 }
    }

    /// A packet of the other side.
    pub(super) fn receive(&mut self, packet: &[u8]) -> Verdict {
        let is_far = |chunk| matches!(chunk, Chunk::Data(data) if self.order.is_far(data.tsn));
        if chunks(packet).any(is_far) {
            return Verdict::Lose;
        }
        if !self.gate.is_proven() {
            let data = chunks(packet).filter_map(|chunk| if let Chunk::Data(data) = chunk { Some(data) } else { None });
            self.early_bytes += data.map(|data| data.payload.len() + CHUNK_BYTES).sum::<usize>();
            if self.early_bytes > self.gate.unproven_bytes {
                return if self.gate.is_said() {
                    Verdict::Lose
                } else {
                    Verdict::End("it says too much before the handshake")
                };
            }
        }
        chunks(packet).find_map(|chunk| self.look(chunk).err()).map_or(Verdict::Pass, Verdict::End)
    }

    /// A packet of ours: the other side answers in the streams that it opens.
    pub(super) fn send(&mut self, packet: &[u8]) {
        for chunk in chunks(packet) {
            if let Chunk::Data(data) = chunk
                && data.opens()
            {
                self.opened.insert(data.stream);
                self.strange.remove(data.stream);
            }
        }
    }

    fn look(&mut self, chunk: Chunk<'_>) -> Result<(), &'static str> {
        match chunk {
            Chunk::Data(data) => self.data(&data),
            Chunk::Begin { tag, tsn } => {
                self.order.begin(tsn);
                if *self.tag.get_or_insert(tag) == tag { Ok(()) } else { Err("it begins another association") }
            }
            Chunk::Reset(reset) => {
                reset.streams.iter().try_for_each(|stream| numbered(*stream))?;
                self.order.reset(&reset);
                self.close();
                Ok(())
            }
            Chunk::Named(stream) => numbered(stream),
            Chunk::Skip => Err("it skips messages"),
        }
    }

    fn data(&mut self, data: &Data<'_>) -> Result<(), &'static str> {
        numbered(data.stream)?;
        if data.stream != 0 && !self.gate.is_proven() && !self.gate.is_said() {
            return Err("it uses a stream before the handshake");
        }
        if data.is_dcep() && !(data.begins && data.ends && data.payload.len() <= MAX_OPEN_BYTES) {
            return Err("it opens a stream at length");
        }
        if data.opens() {
            self.opened.insert(data.stream);
            self.strange.remove(data.stream);
        } else if data.stream != 0 && !self.opened.contains(data.stream) {
            self.strange.insert(data.stream);
            if self.strange.count > MAX_STRANGE_STREAMS {
                return Err("it uses streams that nobody has opened");
            }
        }
        self.order.came(data).map_err(|_| "it sends in disorder")?;
        self.close();
        Ok(())
    }

    /// Streams close once all has come that was sent in them: a lost chunk may arrive after the request to reset its stream.
    fn close(&mut self) {
        self.order.begun_anew().into_iter().for_each(|stream| self.opened.remove(stream));
    }
}

fn numbered(stream: u16) -> Result<(), &'static str> {
    if stream < MAX_STREAM_IDS { Ok(()) } else { Err("it uses too large a stream number") }
}

/// A set of streams.
#[derive(Debug)]
struct Streams {
    bits: Box<[u64; MAX_STREAM_IDS as usize / 64]>,
    count: u32,
}

impl Default for Streams {
    fn default() -> Self {
        Self { bits: Box::new([0; MAX_STREAM_IDS as usize / 64]), count: 0 }
    }
}

impl Streams {
    fn contains(&self, stream: u16) -> bool {
        self.bits.get(usize::from(stream / 64)).is_some_and(|bits| bits & (1 << (stream % 64)) != 0)
    }

    fn insert(&mut self, stream: u16) {
        if let Some(bits) = self.bits.get_mut(usize::from(stream / 64)) {
            self.count += u32::from(*bits & (1 << (stream % 64)) == 0);
            *bits |= 1 << (stream % 64);
        }
    }

    fn remove(&mut self, stream: u16) {
        if let Some(bits) = self.bits.get_mut(usize::from(stream / 64)) {
            self.count -= u32::from(*bits & (1 << (stream % 64)) != 0);
            *bits &= !(1 << (stream % 64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::sctp::tests::{chunk, init, packet, piece, reset};

    const BINARY: u32 = 53;
    const DCEP: u32 = 50;
    const OPEN: [u8; 12] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    fn inspector(proven: bool) -> (Inspector, Arc<Gate>) {
        let gate = Gate::new(true, 64 * 1024);
        if proven {
            gate.prove();
        }
        let mut inspector = Inspector::new(gate.clone());
        assert_eq!(inspector.receive(&packet(&[init(7, 1)])), Verdict::Pass);
        (inspector, gate)
    }

    fn whole(tsn: u32, stream: u16, number: u16, payload: &[u8]) -> Vec<u8> {
        packet(&[piece(tsn, stream, number, 3, BINARY, payload)])
    }

    fn open(tsn: u32, stream: u16) -> Vec<u8> {
        packet(&[piece(tsn, stream, 0, 3, DCEP, &OPEN)])
    }

    #[test]
    fn large_stream_numbers_end_it_wherever_they_are() {
        let large = MAX_STREAM_IDS.to_be_bytes();
        let (mut inspector, _) = inspector(true);
        assert_eq!(inspector.receive(&open(1, MAX_STREAM_IDS - 1)), Verdict::Pass);
        let i_data = chunk(64, 3, &[[0; 4].as_slice(), &large, &[0; 10]].concat());
        let incoming = chunk(130, 0, &[[0, 14, 0, 10, 0, 0, 0, 0].as_slice(), &large].concat());
        let chunks = [piece(2, MAX_STREAM_IDS, 0, 3, BINARY, b"x"), reset(1, 0, &[3, u16::MAX]), i_data, incoming];
        for hostile in chunks {
            let verdict = inspector.receive(&packet(std::slice::from_ref(&hostile)));
            assert!(matches!(verdict, Verdict::End(_)), "{hostile:x?}: {verdict:?}");
        }
    }

    #[test]
    fn before_noise_only_the_handshakes_channel_is_used() {
        let (mut inspector, gate) = inspector(false);
        assert_eq!(inspector.receive(&whole(1, 0, 0, b"noise")), Verdict::Pass);
        gate.say();
        assert!(matches!(inspector.receive(&open(2, 2)), Verdict::End(_)));
        gate.say();
        assert_eq!(inspector.receive(&open(2, 2)), Verdict::Pass, "it may be through with Noise");
    }

    #[test]
    fn before_noise_little_is_taken() {
        let (mut inspector, gate) = inspector(false);
        let cost = 4 + CHUNK_BYTES;
        let taken = (0..1000).find(|n| inspector.receive(&whole(1 + *n, 0, *n as u16, b"tiny")) != Verdict::Pass);
        assert_eq!(taken, Some((64 * 1024 / cost) as u32));
        (0..2).for_each(|_| gate.say());
        assert_eq!(inspector.receive(&whole(2000, 0, 2000, b"tiny")), Verdict::Lose, "it comes again");
        gate.prove();
        let next = taken.unwrap();
        assert_eq!(inspector.receive(&whole(1 + next, 0, next as u16, b"tiny")), Verdict::Pass);
    }

    #[test]
    fn streams_are_opened_before_they_are_used() {
        let (mut inspector, _) = inspector(true);
        inspector.send(&open(1, 1));
        assert_eq!(inspector.receive(&whole(1, 1, 0, b"an answer")), Verdict::Pass);
        let strange = (0..200).find(|n| inspector.receive(&whole(2 + n, 2 + 2 * *n as u16, 0, b"x")) != Verdict::Pass);
        assert_eq!(strange, Some(MAX_STRANGE_STREAMS));
    }

    #[test]
    fn a_stream_is_used_until_all_has_come_that_was_sent_before_its_end() {
        let (mut inspector, _) = inspector(true);
        let streams: Vec<u16> = (1..=100).map(|n| 2 * n).collect();
        let mut tsn = 1..;
        for stream in &streams {
            assert_eq!(inspector.receive(&open(tsn.next().unwrap(), *stream)), Verdict::Pass);
        }
        let late: Vec<_> = streams.iter().map(|stream| whole(tsn.next().unwrap(), *stream, 1, b"x")).collect();
        let next = tsn.next().unwrap();
        assert_eq!(inspector.receive(&packet(&[reset(1, next - 1, &streams)])), Verdict::Pass);
        for packet in late {
            assert_eq!(inspector.receive(&packet), Verdict::Pass);
        }
        let closed = streams.iter().zip(next..);
        let used =
            closed.take_while(|(stream, tsn)| inspector.receive(&whole(*tsn, **stream, 0, b"x")) == Verdict::Pass);
        assert_eq!(used.count(), MAX_STRANGE_STREAMS as usize, "now they are closed");
    }

    #[test]
    fn a_stream_that_we_open_is_strange_no_longer() {
        let (mut inspector, _) = inspector(true);
        for (number, tsn) in (1..200).zip(1..) {
            assert_eq!(inspector.receive(&whole(tsn, 2 * number, 0, b"x")), Verdict::Pass, "{number}");
            inspector.send(&open(tsn, 2 * number));
        }
    }

    #[test]
    fn neither_labels_nor_associations_pile_up() {
        let (mut long, _) = inspector(true);
        let label = packet(&[piece(1, 2, 0, 3, DCEP, &[3; MAX_OPEN_BYTES + 1])]);
        assert!(matches!(long.receive(&label), Verdict::End(_)));
        let (mut pieces, _) = inspector(true);
        assert!(matches!(pieces.receive(&packet(&[piece(1, 2, 0, 2, DCEP, &OPEN)])), Verdict::End(_)));
        let (mut second, _) = inspector(true);
        assert_eq!(second.receive(&packet(&[init(7, 1)])), Verdict::Pass, "the same again");
        assert!(matches!(second.receive(&packet(&[init(8, 1)])), Verdict::End(_)));
    }
}
