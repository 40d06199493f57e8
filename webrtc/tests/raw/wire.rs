//! SCTP below the dialer's association: whole packets of one's own in the same DTLS.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Instant,
};

use str0m::{
    config::{DtlsCert, DtlsVersion},
    crypto::{
        CryptoError,
        dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion},
    },
};

const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const DATA: u8 = 0;
const SACK: u8 = 3;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const RE_CONFIG: u8 = 130;

#[derive(Debug, Default)]
struct State {
    /// Ports and the other side's tag, as the association's own packets have them.
    header: [u8; 8],
    /// The numbers of the first and the next chunk of DATA.
    first: u32,
    next: u32,
    /// Whether what the association says is lost from now on.
    alone: bool,
    waiting: Vec<Vec<u8>>,
    heard: Heard,
}

/// What the other side says, of which the association hears nothing once the wire is taken over.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The other side's first chunk of DATA that was not acknowledged to it by number, and the last one that has come.
    pub missing: u32,
    pub last: u32,
    /// The numbers of its requests to reset streams.
    pub requests: Vec<u32>,
    /// The numbers of our requests that it has answered, and how.
    pub answers: Vec<(u32, u32)>,
    /// Answers to HEARTBEAT.
    pub beats: usize,
}

impl Heard {
    /// Chunks that the other side has to keep.
    pub fn kept(&self) -> u32 {
        self.last.wrapping_add(1).wrapping_sub(self.missing)
    }

    fn hear(&mut self, kind: u8, value: &[u8]) {
        let number = |at: usize| u32::from_be_bytes(value[at..at + 4].try_into().expect("four bytes"));
        match kind {
            INIT_ACK => (self.missing, self.last) = (number(12), number(12).wrapping_sub(1)),
            DATA if number(0).wrapping_sub(self.last) < u32::MAX / 2 => self.last = number(0),
            HEARTBEAT_ACK => self.beats += 1,
            RE_CONFIG if value[..2] == [0, 13] && !self.requests.contains(&number(4)) => self.requests.push(number(4)),
            RE_CONFIG if value[..2] == [0, 16] => self.answers.push((number(4), number(8))),
            _ => {}
        }
    }
}

/// What is said below the association.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<Mutex<State>>);

impl Wire {
    /// The number of the first chunk of DATA, and of the first request to reset streams.
    pub fn first(&self) -> u32 {
        self.0.lock().expect("nobody panicked with it").first
    }

    /// From now on only what is said here is sent: the number that the association's next chunk of DATA would have.
    pub fn take_over(&self) -> u32 {
        let mut state = self.0.lock().expect("nobody panicked with it");
        state.alone = true;
        state.next
    }

    /// Sends these chunks in a packet, once the connection is polled.
    pub fn send(&self, chunks: &[Vec<u8>]) {
        let mut state = self.0.lock().expect("nobody panicked with it");
        let packet = packet(state.header, chunks);
        state.waiting.push(packet);
    }

    /// What the other side has said.
    pub fn heard(&self) -> Heard {
        self.0.lock().expect("nobody panicked with it").heard.clone()
    }

    /// The association's packet; returns whether it is sent.
    fn saw(&self, packet: &[u8]) -> bool {
        let mut state = self.0.lock().expect("nobody panicked with it");
        if state.alone {
            return false;
        }
        state.header = *packet.first_chunk().expect("a header");
        for_each_chunk(packet, |kind, value| {
            let number = |at: usize| u32::from_be_bytes(value[at..at + 4].try_into().expect("four bytes"));
            match kind {
                INIT => (state.first, state.next) = (number(12), number(12)),
                DATA => state.next = number(0).wrapping_add(1),
                _ => {}
            }
        });
        true
    }

    fn hear(&self, packet: &[u8]) {
        let mut state = self.0.lock().expect("nobody panicked with it");
        for_each_chunk(packet, |kind, value| state.heard.hear(kind, value));
    }
}

fn for_each_chunk(packet: &[u8], mut look: impl FnMut(u8, &[u8])) {
    let mut rest = packet.get(12..).unwrap_or_default();
    while let Some(&[kind, _, high, low]) = rest.first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        look(kind, &rest[4..length]);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn packet(header: [u8; 8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = [&header[..], &[0; 4], &chunks.concat()].concat();
    let checksum = crc32c(&packet);
    packet[8..12].copy_from_slice(&checksum.to_le_bytes());
    packet
}

fn crc32c(bytes: &[u8]) -> u32 {
    let shift = |sum: u32, _| (sum >> 1) ^ if sum & 1 == 1 { 0x82f6_3b78 } else { 0 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), shift))
}

fn chunk(kind: u8, flags: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).expect("a short chunk");
    let mut chunk = [&[kind, flags], &length.to_be_bytes()[..], value].concat();
    chunk.resize(chunk.len().next_multiple_of(4), 0);
    chunk
}

/// A whole message of one chunk.
pub fn data(tsn: u32, stream: u16, number: u16, payload: &[u8]) -> Vec<u8> {
    let fields = [&tsn.to_be_bytes()[..], &stream.to_be_bytes(), &number.to_be_bytes(), &53_u32.to_be_bytes()];
    chunk(DATA, 3, &[&fields.concat(), payload].concat())
}

/// A request to begin a stream anew after a chunk.
pub fn reset(request: u32, after: u32, stream: u16) -> Vec<u8> {
    let fields = [&[0, 13, 0, 18], &request.to_be_bytes()[..], &[0; 4], &after.to_be_bytes(), &stream.to_be_bytes()];
    chunk(RE_CONFIG, 0, &fields.concat())
}

/// A message that opens a channel.
pub fn open(tsn: u32, stream: u16) -> Vec<u8> {
    let fields = [&tsn.to_be_bytes()[..], &stream.to_be_bytes(), &[0; 2], &50_u32.to_be_bytes()];
    chunk(DATA, 3, &[&fields.concat()[..], &[3], &[0; 11]].concat())
}

/// A request to reset streams was performed.
pub fn performed(request: u32) -> Vec<u8> {
    chunk(RE_CONFIG, 0, &[&[0, 16, 0, 12], &request.to_be_bytes()[..], &1_u32.to_be_bytes()].concat())
}

/// An acknowledgement of all chunks up to a number, and of these runs of later ones, by their distance from it.
pub fn sack(cumulative: u32, blocks: &[(u16, u16)]) -> Vec<u8> {
    let count = u16::try_from(blocks.len()).expect("few").to_be_bytes();
    let fields = [&cumulative.to_be_bytes()[..], &[0, 16, 0, 0], &count, &[0; 2]].concat();
    let blocks = blocks.iter().flat_map(|(start, end)| [start.to_be_bytes(), end.to_be_bytes()].concat());
    chunk(SACK, 0, &fields.into_iter().chain(blocks).collect::<Vec<_>>())
}

/// A question that is answered by a packet of the same size.
pub fn heartbeat() -> Vec<u8> {
    chunk(HEARTBEAT, 0, &[0, 1, 0, 4])
}

/// Makes DTLS that carries what the wire says besides.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) wire: Wire,
    pub(super) inner: &'static dyn DtlsProvider,
}

impl DtlsProvider for Tap {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.inner.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = self.inner.new_dtls(certificate, now, version, mtu)?;
        Ok(Box::new(Tapped { wire: self.wire.clone(), inner }))
    }
}

struct Tapped {
    wire: Wire,
    inner: Box<dyn DtlsInstance>,
}

impl fmt::Debug for Tapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tapped")
    }
}

impl DtlsInstance for Tapped {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let (waiting, alone) = {
            let mut state = self.wire.0.lock().expect("nobody panicked with it");
            (std::mem::take(&mut state.waiting), state.alone)
        };
        for packet in waiting {
            // Fails once the other side has ended the connection.
            let _ = self.inner.send_application_data(&packet);
        }
        match self.inner.poll_output(buffer) {
            DtlsOutput::ApplicationData(packet) => {
                self.wire.hear(packet);
                // The association would not understand what is answered.
                DtlsOutput::ApplicationData(if alone { &[] } else { packet })
            }
            output => output,
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        if self.wire.saw(data) { self.inner.send_application_data(data) } else { Ok(data.len()) }
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}
