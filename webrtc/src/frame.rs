//! The frames of a stream: an unsigned varint length, then protobuf `{ optional Flag flag = 1; optional bytes message
//! = 2; }`.

use bytes::{Buf, Bytes, BytesMut};
use prost::Message;

/// Bytes of a frame with its length prefix: every peer must accept as many.
pub const MAX_FRAME_BYTES: usize = 16 * 1024;
/// The same on a relayed path, where larger datagrams get lost.
pub const MAX_RELAYED_FRAME_BYTES: usize = 8 * 1024;
/// Bytes of a received frame, without its length prefix; more than the spec allows.
pub const MAX_ACCEPTED_BYTES: usize = 64 * 1024;
/// Bytes of a frame that is sent in one message.
const MAX_WHOLE_BYTES: usize = 4096;
/// Bytes of a frame besides its payload: length prefix, and tag and length of the payload, with some room.
const OVERHEAD: usize = 8;

/// The flag of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// The sender will send nothing more.
    Fin,
    /// The sender will read nothing more.
    StopSending,
    /// The sender gives up both directions; what is on its way may be lost.
    Reset,
    /// The sender has received [`Flag::Fin`].
    FinAck,
}

impl Flag {
    fn number(self) -> i32 {
        match self {
            Self::Fin => 0,
            Self::StopSending => 1,
            Self::Reset => 2,
            Self::FinAck => 3,
        }
    }

    fn of(number: i32) -> Option<Self> {
        [Self::Fin, Self::StopSending, Self::Reset, Self::FinAck].into_iter().find(|flag| flag.number() == number)
    }
}

/// A received frame. Unknown flags are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Takes effect after the payload.
    pub flag: Option<Flag>,
    /// The next bytes of the stream.
    pub payload: Bytes,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Its length prefix is too large.
    #[error("a frame of {0} bytes; at most {MAX_ACCEPTED_BYTES} are taken")]
    TooLong(u64),
    /// Neither a varint nor protobuf.
    #[error("bytes that are no frame")]
    Garbage,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    /// Not a protobuf enumeration, since unknown numbers are no error.
    #[prost(int32, optional, tag = "1")]
    flag: Option<i32>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    message: Option<Bytes>,
}

/// Bytes of payload that fit into a frame of so many bytes.
#[must_use]
pub fn capacity(frame_bytes: usize) -> usize {
    frame_bytes.saturating_sub(OVERHEAD).max(1)
}

/// A frame that carries payload.
#[must_use]
pub fn data(payload: &[u8]) -> Bytes {
    encode(Wire { flag: None, message: Some(Bytes::copy_from_slice(payload)) })
}

/// A frame that carries a flag alone.
#[must_use]
pub fn signal(flag: Flag) -> Bytes {
    encode(Wire { flag: Some(flag.number()), message: None })
}

/// The messages that carry a frame. A large frame goes in two, its length prefix first, since go-libp2p reads it only so.
pub(crate) fn messages(mut frame: Bytes) -> (Bytes, Option<Bytes>) {
    let length = frame.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    if frame.len() <= MAX_WHOLE_BYTES || frame.len() <= length {
        return (frame, None);
    }
    let rest = frame.split_off(length);
    (frame, Some(rest))
}

fn encode(wire: Wire) -> Bytes {
    wire.encode_length_delimited_to_vec().into()
}

/// Decodes frames from a channel's messages. A frame may span messages.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of an incomplete frame.
    incomplete: BytesMut,
    /// Memory that the frames of the last message keep alive, in bytes.
    kept_alive: usize,
}

impl Decoder {
    /// Reads a message, and calls `each` for each frame that is complete now.
    ///
    /// # Errors
    /// [`Malformed`]; nothing can be decoded after it.
    pub fn read(&mut self, message: Bytes, mut each: impl FnMut(Frame)) -> Result<(), Malformed> {
        let mut bytes = message;
        self.kept_alive = bytes.len();
        if !self.incomplete.is_empty() {
            self.incomplete.extend_from_slice(&bytes);
            // It grows by doubling.
            self.kept_alive = self.incomplete.capacity();
            bytes = std::mem::take(&mut self.incomplete).freeze();
        }
        while let Some(frame) = split_frame(&mut bytes)? {
            let Wire { flag, message } = Wire::decode(frame).map_err(|_| Malformed::Garbage)?;
            each(Frame { flag: flag.and_then(Flag::of), payload: message.unwrap_or_default() });
        }
        self.incomplete.extend_from_slice(&bytes);
        Ok(())
    }

    /// Memory that an incomplete frame takes, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.incomplete.capacity()
    }

    /// Memory that the frames of the last message keep alive, in bytes. Each frame alone keeps all of it.
    pub(crate) fn kept_alive(&self) -> usize {
        self.kept_alive
    }

    /// Whether a frame is incomplete.
    #[must_use]
    pub fn is_mid_frame(&self) -> bool {
        !self.incomplete.is_empty()
    }
}

/// Splits off the first frame, without its length prefix; none if it is incomplete.
fn split_frame(bytes: &mut Bytes) -> Result<Option<Bytes>, Malformed> {
    let (length, rest) = match unsigned_varint::decode::u64(bytes) {
        Ok(read) => read,
        Err(unsigned_varint::decode::Error::Insufficient) => return Ok(None),
        Err(_) => return Err(Malformed::Garbage),
    };
    if length > MAX_ACCEPTED_BYTES as u64 {
        return Err(Malformed::TooLong(length));
    }
    let (length, prefix) = (length as usize, bytes.len() - rest.len());
    if rest.len() < length {
        return Ok(None);
    }
    bytes.advance(prefix);
    Ok(Some(bytes.split_to(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(messages: &[&[u8]]) -> Result<Vec<Frame>, Malformed> {
        let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
        for message in messages {
            decoder.read(Bytes::copy_from_slice(message), |frame| frames.push(frame))?;
        }
        Ok(frames)
    }

    #[test]
    fn a_frame_fits_its_bound_whatever_the_payload() {
        for bound in [MAX_FRAME_BYTES, MAX_RELAYED_FRAME_BYTES, 200, 20] {
            assert!(data(&vec![7; capacity(bound)]).len() <= bound, "{bound}");
        }
    }

    #[test]
    fn unknown_flags_and_fields_are_passed_over() {
        let frames = read(&[&[2, 8, 9], &[4, 8, 77, 24, 1], &[3, 18, 1, 5]]).unwrap();
        assert_eq!(frames[..2], [Frame::default(), Frame::default()]);
        assert_eq!(frames[2].payload[..], [5]);
    }

    #[test]
    fn cuts_between_messages_do_not_matter() {
        let whole: Vec<u8> = [data(b"one"), signal(Flag::Fin), data(&[9; 300])].concat();
        for cut in 0..=whole.len() {
            let (first, second) = whole.split_at(cut);
            let frames = read(&[first, second]).unwrap();
            assert_eq!(frames.len(), 3);
            assert_eq!((frames[0].payload.as_ref(), frames[1].flag), (b"one".as_slice(), Some(Flag::Fin)));
        }
    }

    #[test]
    fn what_is_no_frame_is_told() {
        assert_eq!(read(&[&[0xff; 11]]), Err(Malformed::Garbage));
        assert_eq!(read(&[&[0x81, 0x80, 0x04]]), Err(Malformed::TooLong(65537)));
        assert_eq!(read(&[&[1, 0xff]]), Err(Malformed::Garbage));
    }
}
