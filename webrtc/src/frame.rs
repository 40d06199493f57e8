//! The frames of a stream: an unsigned varint length, then protobuf `{ optional Flag flag = 1; optional bytes message
//! = 2; }`.

use bytes::{Buf, Bytes, BytesMut};
use prost::Message;

/// Bytes of a frame with its length, the most a peer must take.
pub const MAX_FRAME_BYTES: usize = 16 * 1024;
/// The same where the connection's path is relayed: larger datagrams get lost there.
pub const MAX_RELAYED_FRAME_BYTES: usize = 8 * 1024;
/// Bytes of a frame that are accepted, generously.
pub const MAX_ACCEPTED_BYTES: usize = 64 * 1024;
/// Bytes of a frame that is sent in one message.
const MAX_WHOLE_BYTES: usize = 4096;
/// What a frame has besides its payload: two bytes of length, a tag, two bytes of length.
const OVERHEAD: usize = 8;

/// What a frame says besides its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// The sender will send nothing more.
    Fin,
    /// The sender will read nothing more.
    StopSending,
    /// The sender gives up both directions; what is under way may be lost.
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

/// One frame as it was read. Flags of a newer spec are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Comes after the payload.
    pub flag: Option<Flag>,
    /// The next bytes of the stream.
    pub payload: Bytes,
}

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Announced to be too long.
    #[error("a frame of {0} bytes; at most {MAX_ACCEPTED_BYTES} are taken")]
    TooLong(u64),
    /// No varint, or no protobuf.
    #[error("bytes that are no frame")]
    Garbage,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    /// Not an enumeration: unknown numbers are no error.
    #[prost(int32, optional, tag = "1")]
    flag: Option<i32>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    message: Option<Bytes>,
}

/// How much payload fits into a frame of so many bytes.
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

/// The channel's messages that carry a frame: go-libp2p reads a large one only after its length has come by itself.
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

/// Takes frames out of the channel's messages, wherever those are cut.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a frame that has not come whole.
    begun: BytesMut,
    /// Bytes of memory that the frames of the last message keep alive.
    kept_alive: usize,
}

impl Decoder {
    /// Reads a message; calls for each frame that is whole now.
    ///
    /// # Errors
    /// [`Malformed`]; nothing after it can be read.
    pub fn read(&mut self, message: Bytes, mut each: impl FnMut(Frame)) -> Result<(), Malformed> {
        let mut bytes = message;
        self.kept_alive = bytes.len();
        if !self.begun.is_empty() {
            self.begun.extend_from_slice(&bytes);
            // It grows by doubling.
            self.kept_alive = self.begun.capacity();
            bytes = std::mem::take(&mut self.begun).freeze();
        }
        while let Some(frame) = take(&mut bytes)? {
            let Wire { flag, message } = Wire::decode(frame).map_err(|_| Malformed::Garbage)?;
            each(Frame { flag: flag.and_then(Flag::of), payload: message.unwrap_or_default() });
        }
        self.begun.extend_from_slice(&bytes);
        Ok(())
    }

    /// Bytes of memory that the beginning of a frame takes.
    pub(crate) fn held(&self) -> usize {
        self.begun.capacity()
    }

    /// Bytes of memory that the frames of the last message keep alive, each of them all.
    pub(crate) fn kept_alive(&self) -> usize {
        self.kept_alive
    }

    /// Whether a frame has begun and not ended.
    #[must_use]
    pub fn is_amid(&self) -> bool {
        !self.begun.is_empty()
    }
}

/// The first frame of these bytes without its length; nothing when it is not whole.
fn take(bytes: &mut Bytes) -> Result<Option<Bytes>, Malformed> {
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
