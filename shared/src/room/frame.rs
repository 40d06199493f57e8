//! The frame: what a room's topic carries. Signed by its author, so it proves itself whoever hands it over.
//!
//! Byte by byte in `docs/wire.md`.

use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey},
};
use prost::Message as _;
use sha2::{Digest, Sha256};

use super::body::KIND_PRESENCE;
pub use super::{
    body::Body,
    frame_error::FrameError,
    frame_id::{FrameId, Prefix},
};
use crate::config::MAX_FRAME_BYTES;

/// First byte of every frame; never valid in UTF-8, so plain lines cannot be mistaken for frames.
pub const MARK: u8 = 0xff;
/// The version this node writes and reads.
pub const VERSION: u8 = 1;
/// What a signature covers begins with this.
pub const DOMAIN: &[u8] = b"tincan-frame-v1:";

/// Bytes of a whole frame with a presence: they are kept beside the other frames' bound.
pub(crate) const MAX_PRESENCE_BYTES: usize = 512;
/// What the name of a bridged line's origin is a hash of begins with this.
const ORIGIN: &[u8] = b"tincan-origin-v2:";
/// What the name of a line, whichever frame it comes in, is a hash of begins with this.
const LINE: &[u8] = b"tincan-line-v1:";

/// What an author signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<'a> {
    /// The room's name.
    pub room: &'a str,
    /// The line's number, or the presence's.
    pub sequence: u64,
    /// The number of the author's line before this one, 0 if there is none.
    pub previous: u64,
    /// Unix time in milliseconds.
    pub time_ms: u64,
    /// What is said.
    pub body: &'a Body,
}

/// A frame whose signature and bounds hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its name.
    pub id: FrameId,
    /// Who signed it.
    pub author: PeerId,
    /// The room it was signed for.
    pub room: String,
    /// The line's number among the author's lines, or the presence's among the presences. Numbers of bridged lines
    /// mean nothing: see [`Self::line_number`].
    pub sequence: u64,
    /// The number of the author's line before this one, 0 if there is none.
    pub previous: u64,
    /// The author's clock, unix time in milliseconds.
    pub time_ms: u64,
    /// What it says.
    pub body: Body,
    /// As it travels.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// What two bridges agree on when they bring the same line: a name for its source, number and text there. With
    /// the text in it, a bridge that lies about a line does not keep an honest one from bringing it.
    #[must_use]
    pub fn origin(&self) -> Option<FrameId> {
        let Body::Bridged { source, number, text } = &self.body else { return None };
        let length = |part: &[u8]| [u8::try_from(part.len()).unwrap_or(u8::MAX)];
        let named = [ORIGIN, &length(source), source, &length(number), number, text.as_bytes()].concat();
        Some(FrameId(Sha256::digest(named).into()))
    }

    /// Its place among the lines that the author said itself; presences and bridged lines have none.
    #[must_use]
    pub fn line_number(&self) -> Option<u64> {
        match self.body {
            Body::Presence { .. } | Body::Bridged { .. } => None,
            Body::Message { .. } | Body::Unknown => Some(self.sequence),
        }
    }

    /// Sorts what is kept by when it was said, and an author's own lines of one millisecond as they were said.
    #[must_use]
    pub fn sort_key(&self) -> (u64, Option<u64>) {
        (self.time_ms, self.line_number())
    }

    /// What all frames of one line agree on: an author signs a line again that it may not have sent. The text is part
    /// of it since an author whose clock and storage both failed gives a number twice.
    #[must_use]
    pub fn line(&self) -> Option<FrameId> {
        let Body::Message { text, .. } = &self.body else { return None };
        let parts = [LINE, &self.author.to_bytes(), &self.sequence.to_be_bytes(), text.as_bytes()];
        Some(FrameId(Sha256::digest(parts.concat()).into()))
    }

    /// Whether it is a message with this number and text.
    #[must_use]
    pub fn says(&self, sequence: u64, text: &str) -> bool {
        self.sequence == sequence && matches!(&self.body, Body::Message { text: said, .. } if said == text)
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Envelope {
    #[prost(bytes = "vec", tag = "1")]
    signed: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Signed {
    #[prost(string, tag = "1")]
    room: String,
    #[prost(bytes = "vec", tag = "2")]
    author: Vec<u8>,
    #[prost(uint64, tag = "3")]
    sequence: u64,
    #[prost(uint64, tag = "4")]
    previous: u64,
    #[prost(uint64, tag = "5")]
    time_ms: u64,
    #[prost(uint32, tag = "6")]
    kind: u32,
    #[prost(bytes = "vec", tag = "7")]
    body: Vec<u8>,
}

/// Signs a draft. Fails only for keys that cannot sign here (RSA without its feature).
///
/// # Errors
/// The key's own.
pub fn sign(keypair: &Keypair, draft: &Draft<'_>) -> Result<Frame, libp2p::identity::SigningError> {
    let (kind, body) = draft.body.encode();
    let signed = Signed {
        room: draft.room.to_owned(),
        author: keypair.public().encode_protobuf(),
        sequence: draft.sequence,
        previous: draft.previous,
        time_ms: draft.time_ms,
        kind,
        body,
    }
    .encode_to_vec();
    let signature = keypair.sign(&covered(&signed))?;
    let id = FrameId(Sha256::digest(&signed).into());
    let mut bytes = vec![MARK, VERSION];
    bytes.extend(Envelope { signed, signature }.encode_to_vec());
    Ok(Frame {
        id,
        author: keypair.public().to_peer_id(),
        room: draft.room.to_owned(),
        sequence: draft.sequence,
        previous: draft.previous,
        time_ms: draft.time_ms,
        body: draft.body.clone(),
        bytes,
    })
}

/// Reads and verifies a payload.
///
/// # Errors
/// Why it is no frame that this node can vouch for.
pub fn verify(payload: &[u8]) -> Result<Frame, FrameError> {
    read(payload, |key, signed, signature| key.verify(&covered(signed), signature))
}

/// Reads a payload that this node verified before it stored it; costs no signature check.
///
/// # Errors
/// As [`verify`], but for the signature.
pub(crate) fn read_stored(payload: &[u8]) -> Result<Frame, FrameError> {
    read(payload, |_, _, _| true)
}

fn read(payload: &[u8], vouches: impl Fn(&PublicKey, &[u8], &[u8]) -> bool) -> Result<Frame, FrameError> {
    let envelope = match payload {
        [MARK, VERSION, rest @ ..] if payload.len() <= MAX_FRAME_BYTES => rest,
        [MARK, VERSION, ..] | [MARK] => return Err(FrameError::Malformed),
        [MARK, ..] => return Err(FrameError::UnknownVersion),
        _ => return Err(FrameError::NotAFrame),
    };
    let Envelope { signed, signature } = Envelope::decode(envelope).map_err(|_| FrameError::Malformed)?;
    let (part, key, body) = read_signed(&signed)?;
    if body.is_presence() && payload.len() > MAX_PRESENCE_BYTES {
        return Err(FrameError::Malformed);
    }
    if !vouches(&key, &signed, &signature) {
        return Err(FrameError::Signature);
    }
    Ok(Frame {
        id: FrameId(Sha256::digest(&signed).into()),
        author: key.to_peer_id(),
        room: part.room,
        sequence: part.sequence,
        previous: part.previous,
        time_ms: part.time_ms,
        body,
        bytes: payload.to_vec(),
    })
}

/// Reads what was signed, and checks its bounds.
fn read_signed(signed: &[u8]) -> Result<(Signed, PublicKey, Body), FrameError> {
    let part = Signed::decode(signed).map_err(|_| FrameError::Malformed)?;
    let key = PublicKey::try_decode_protobuf(&part.author).map_err(|_| FrameError::Malformed)?;
    let body = Body::read(part.kind, &part.body)?;
    crate::text::check_room(&part.room).map_err(|_| FrameError::Malformed)?;
    if part.previous > part.sequence || signed.len() > MAX_FRAME_BYTES {
        return Err(FrameError::Malformed);
    }
    Ok((part, key, body))
}

/// The name a payload would have if it is a frame that verifies, of whatever version; costs no signature check.
#[must_use]
pub fn name_of(payload: &[u8]) -> Option<FrameId> {
    let (version, signed) = signed_part(payload)?;
    // Nobody makes a frame of this version count as seen by wrapping it up as one of another version.
    let version = if version == VERSION { &[][..] } else { &[version] };
    Some(FrameId(Sha256::digest([version, &signed].concat()).into()))
}

/// The name of a frame that this Tincan can never read, in whatever envelope it comes: of another version, or beyond its
/// bounds.
#[must_use]
pub fn name_of_unreadable(payload: &[u8]) -> Option<FrameId> {
    let (version, signed) = signed_part(payload)?;
    let is_readable = version == VERSION && read_signed(&signed).is_ok();
    if is_readable { None } else { name_of(payload) }
}

/// Who said what a payload claims to say, unverified: its author, and whoever its author names as the source.
#[must_use]
pub fn claimed_speakers(payload: &[u8]) -> Vec<PeerId> {
    let Some((VERSION, signed)) = signed_part(payload) else { return Vec::new() };
    let Ok(Signed { author, kind, body, .. }) = Signed::decode(signed.as_slice()) else { return Vec::new() };
    let author = PublicKey::try_decode_protobuf(&author).ok().map(|key| key.to_peer_id());
    let source = match Body::read(kind, &body) {
        Ok(Body::Bridged { source, .. }) => PeerId::from_bytes(&source).ok(),
        _ => None,
    };
    author.into_iter().chain(source).collect()
}

/// A payload's version, and what its author signed.
fn signed_part(payload: &[u8]) -> Option<(u8, Vec<u8>)> {
    let [MARK, version, envelope @ ..] = payload else { return None };
    let Envelope { signed, .. } = Envelope::decode(envelope).ok()?;
    Some((*version, signed))
}

/// The time and number that a payload claims to be said at, unverified; 0 for what is no frame.
#[must_use]
pub fn claimed_place(payload: &[u8]) -> (u64, u64) {
    let [MARK, VERSION, envelope @ ..] = payload else { return (0, 0) };
    let signed = Envelope::decode(envelope).and_then(|envelope| Signed::decode(envelope.signed.as_slice()));
    signed.map_or((0, 0), |signed| (signed.time_ms, signed.sequence))
}

/// Whether a payload claims to be a frame of a line, unverified.
pub(super) fn claimed_line(payload: &[u8]) -> bool {
    let Some((VERSION, signed)) = signed_part(payload) else { return false };
    Signed::decode(signed.as_slice()).is_ok_and(|signed| signed.kind != KIND_PRESENCE)
}

fn covered(signed: &[u8]) -> Vec<u8> {
    [DOMAIN, signed].concat()
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
