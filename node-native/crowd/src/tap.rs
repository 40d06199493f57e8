//! Reads along what a peer writes on its streams, and writes down what it hands over in syncs. Nothing is changed or held up.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};

use crate::{uploads::Uploads, wire::SYNC};

/// Bytes of a message that are kept until it is whole; longer ones are none of a sync.
const MAX_MESSAGE_BYTES: usize = 2 * 1024 * 1024;
/// Lines of multistream-select before the first byte of a protocol: its own name, and the protocol's.
const LINES: usize = 2;

/// A connection whose streams are read along.
#[derive(Debug)]
pub(crate) struct Tapped {
    muxer: StreamMuxerBox,
    uploads: Arc<Uploads>,
}

impl Tapped {
    pub(crate) fn new(muxer: StreamMuxerBox, uploads: Arc<Uploads>) -> Self {
        Self { muxer, uploads }
    }
}

impl StreamMuxer for Tapped {
    type Substream = TappedStream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<TappedStream>> {
        let tap = Tap::new(self.uploads.clone(), Side::Answers);
        Pin::new(&mut self.muxer).poll_inbound(cx).map_ok(|stream| TappedStream { stream, tap: Some(tap) })
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<TappedStream>> {
        let tap = Tap::new(self.uploads.clone(), Side::Asks);
        Pin::new(&mut self.muxer).poll_outbound(cx).map_ok(|stream| TappedStream { stream, tap: Some(tap) })
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.muxer).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.muxer).poll(cx)
    }
}

/// A stream, with a tap while it may be one of a sync.
#[derive(Debug)]
pub(crate) struct TappedStream {
    stream: SubstreamBox,
    tap: Option<Tap>,
}

impl AsyncRead for TappedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TappedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = written
            && self.tap.as_mut().is_some_and(|tap| !tap.goes_on(&bytes[..count]))
        {
            self.tap = None;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

/// What was written on a stream and is not yet understood.
#[derive(Debug)]
struct Tap {
    uploads: Arc<Uploads>,
    side: Side,
    read: Vec<u8>,
    /// Lines of multistream-select that were read.
    lines: usize,
}

/// What the peer writes on a stream.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// It opened the stream.
    Asks,
    /// The other side did.
    Answers,
}

impl Tap {
    fn new(uploads: Arc<Uploads>, side: Side) -> Self {
        Self { uploads, side, read: Vec::new(), lines: 0 }
    }

    /// More was written. Says whether more is of interest.
    fn goes_on(&mut self, bytes: &[u8]) -> bool {
        self.read.extend_from_slice(bytes);
        while self.lines < LINES {
            let Some((line, rest)) = message(&self.read) else { return self.read.len() < MAX_MESSAGE_BYTES };
            let is_protocol = self.lines + 1 == LINES;
            if is_protocol && line.strip_suffix(b"\n") != Some(SYNC.as_ref().as_bytes()) {
                return false;
            }
            self.read = rest.to_vec();
            self.lines += 1;
        }
        let Some((message, _)) = message(&self.read) else { return self.read.len() < MAX_MESSAGE_BYTES };
        match self.side {
            Side::Asks => self.uploads.asked(message),
            Side::Answers => self.uploads.answered(message),
        }
        false
    }
}

/// The first message behind its length, and what follows it; nothing while it is not whole.
fn message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes;
    let length = prost::decode_length_delimiter(&mut rest).ok()?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;
    use prost::Message;
    use tincan_shared::room::frame::{Body, Draft, sign};

    use super::*;
    use crate::wire::{Answer, Question};

    /// Bytes of frames that were counted when this was written in pieces of this size.
    fn counted(side: Side, bytes: &[u8], piece: usize) -> usize {
        let uploads = Arc::new(Uploads::default());
        let mut tap = Some(Tap::new(uploads.clone(), side));
        for piece in bytes.chunks(piece) {
            if tap.as_mut().is_some_and(|tap| !tap.goes_on(piece)) {
                tap = None;
            }
        }
        uploads.take().bytes
    }

    #[test]
    fn what_is_handed_over_is_read_however_it_is_written() {
        let body = Body::Message { nick: "n".into(), text: "t".repeat(300) };
        let draft = Draft { room: "r", sequence: 1, previous: 0, time_ms: 1, body: &body };
        let frame = sign(&Keypair::generate_ed25519(), &draft).unwrap().bytes;
        let begin = [b"\x13/multistream/1.0.0\n\x13".as_slice(), SYNC.as_ref().as_bytes(), b"\n"].concat();
        let question = Question { room: "r".into(), give: vec![frame.clone()] }.encode_length_delimited_to_vec();
        let answer = Answer { frames: vec![frame.clone()] }.encode_length_delimited_to_vec();
        for (side, message) in [(Side::Asks, question), (Side::Answers, answer)] {
            let whole = [begin.clone(), message].concat();
            for piece in [1, 7, 20, whole.len()] {
                assert_eq!(counted(side, &whole, piece), frame.len(), "{side:?} in pieces of {piece}");
            }
            let other = [b"\x13/multistream/1.0.0\n\x12/tincan/hub/1.0.0\n", &whole[40..]].concat();
            assert_eq!(counted(side, &other, 5), 0);
        }
    }
}
