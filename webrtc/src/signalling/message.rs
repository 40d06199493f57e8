//! What is said on a signalling stream: an unsigned varint length, then protobuf `{ optional Type type = 1; optional string data
//! = 2; }`.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use prost::Message;

/// Bytes of a session description.
pub const MAX_SDP_BYTES: usize = 16 * 1024;
/// Bytes of a candidate.
pub const MAX_CANDIDATE_BYTES: usize = 1024;
/// Candidates that are taken of one peer; further ones are passed over.
pub const MAX_CANDIDATES: usize = 32;
/// Bytes that are read on one stream.
pub const MAX_SIGNALLING_BYTES: usize = 64 * 1024;

// The spec's numbers of `Type`.
const SDP_OFFER: i32 = 0;
const SDP_ANSWER: i32 = 1;
const ICE_CANDIDATE: i32 = 2;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The session description of who began.
    Offer(String),
    /// The other's.
    Answer(String),
    /// A browser's `RTCIceCandidate.toJSON()`; `null` where all were told.
    Candidate(String),
}

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The stream ended or failed.
    #[error("the stream failed: {0}")]
    Io(#[from] io::Error),
    /// Neither a varint nor protobuf, or of an unknown type.
    #[error("bytes that are no message")]
    Garbage,
    /// Beyond [`MAX_SDP_BYTES`], [`MAX_CANDIDATE_BYTES`] or [`MAX_SIGNALLING_BYTES`].
    #[error("more bytes than a message may have")]
    TooLong,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    /// Encoded also where it is 0, which js-libp2p wants.
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(string, optional, tag = "2")]
    data: Option<String>,
}

impl Signal {
    fn encode(&self) -> Vec<u8> {
        let (kind, data) = match self {
            Self::Offer(sdp) => (SDP_OFFER, sdp),
            Self::Answer(sdp) => (SDP_ANSWER, sdp),
            Self::Candidate(json) => (ICE_CANDIDATE, json),
        };
        Wire { kind: Some(kind), data: Some(data.clone()) }.encode_length_delimited_to_vec()
    }

    fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        let Wire { kind, data } = Wire::decode(bytes).map_err(|_| ReadError::Garbage)?;
        let (signal, most): (fn(String) -> Self, usize) = match kind {
            // Protocol Buffers may leave out what is 0.
            None | Some(SDP_OFFER) => (Self::Offer, MAX_SDP_BYTES),
            Some(SDP_ANSWER) => (Self::Answer, MAX_SDP_BYTES),
            Some(ICE_CANDIDATE) => (Self::Candidate, MAX_CANDIDATE_BYTES),
            Some(_) => return Err(ReadError::Garbage),
        };
        let data = data.unwrap_or_default();
        if data.len() > most {
            return Err(ReadError::TooLong);
        }
        Ok(signal(data))
    }
}

/// Whether a candidate's JSON says that no more will come: absent, `null` or an empty string.
#[must_use]
pub fn is_end_of_candidates(json: &str) -> bool {
    matches!(json.trim(), "" | "null" | "\"\"")
}

/// Writes a message.
///
/// # Errors
/// The stream's.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), signal: &Signal) -> io::Result<()> {
    stream.write_all(&signal.encode()).await?;
    stream.flush().await
}

/// Reads messages of one stream, up to [`MAX_SIGNALLING_BYTES`].
#[derive(Debug)]
pub struct Reader<R> {
    stream: R,
    left: usize,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Of a stream that nothing was read of.
    pub fn new(stream: R) -> Self {
        Self { stream, left: MAX_SIGNALLING_BYTES }
    }

    /// The next message.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read(&mut self) -> Result<Signal, ReadError> {
        let length = unsigned_varint::aio::read_u32(&mut self.stream).await.map_err(|error| match error {
            unsigned_varint::io::ReadError::Io(error) => ReadError::Io(error),
            _ => ReadError::Garbage,
        })? as usize;
        self.left = self.left.checked_sub(length).ok_or(ReadError::TooLong)?;
        // Grows with what arrives, not with what is announced.
        let mut bytes = Vec::new();
        (&mut self.stream).take(length as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Signal::decode(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, io::Cursor};

    use super::*;

    fn read_all(bytes: &[u8]) -> (Vec<Signal>, ReadError) {
        let mut reader = Reader::new(Cursor::new(bytes));
        let mut signals = Vec::new();
        loop {
            match reader.read().now_or_never().expect("all is there") {
                Ok(signal) => signals.push(signal),
                Err(error) => return (signals, error),
            }
        }
    }

    #[test]
    fn what_is_written_is_read_and_looks_as_the_spec_says() {
        let signals = [Signal::Offer("v=0".into()), Signal::Answer("v=0".into()), Signal::Candidate("null".into())];
        let bytes: Vec<u8> = signals.iter().flat_map(Signal::encode).collect();
        assert_eq!(bytes[..8], [7, 0x08, 0, 0x12, 3, b'v', b'=', b'0'], "the type is there though it is 0");
        let (read, end) = read_all(&bytes);
        assert_eq!(read, signals);
        assert!(matches!(end, ReadError::Io(_)));
    }

    #[test]
    fn every_bound_is_kept() {
        let read = |signal: Signal| read_all(&signal.encode());
        assert_eq!(read(Signal::Offer("x".repeat(MAX_SDP_BYTES))).0.len(), 1);
        assert!(matches!(read(Signal::Offer("x".repeat(MAX_SDP_BYTES + 1))).1, ReadError::TooLong));
        assert!(matches!(read(Signal::Candidate("x".repeat(MAX_CANDIDATE_BYTES + 1))).1, ReadError::TooLong));
        let many = Signal::Answer("x".repeat(MAX_SDP_BYTES)).encode().repeat(4);
        let (signals, error) = read_all(&many);
        assert!(signals.len() == 3 && matches!(error, ReadError::TooLong), "{}", signals.len());
        for garbage in [&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[2, 0x08, 9], &[1, 0xff]] {
            assert!(matches!(read_all(garbage).1, ReadError::Garbage), "{garbage:x?}");
        }
    }

    #[test]
    fn the_end_of_candidates_has_three_forms() {
        assert!(["", "null", "\"\""].into_iter().all(is_end_of_candidates));
        assert!(!is_end_of_candidates("{\"candidate\":\"\"}"));
    }
}
