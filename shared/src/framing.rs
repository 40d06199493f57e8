//! Messages on the streams of our own protocols: a length, then Protocol Buffers.
//!
//! An entry of two bytes takes 24 and more once it is decoded, so 64 KiB of empty entries become 0.8 MB. A message is
//! therefore cut to what its protocol allows as soon as it is decoded, before it waits anywhere.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use prost::Message;

use crate::{
    config::MAX_ROOM_BYTES,
    hub::{
        desk::MAX_WATCHED,
        wire::{FromHub, MAX_NAMES, Watch},
    },
    room::sync::{Answer, MAX_FRAMES, MAX_PREFIXES, Question},
};

/// A message that strangers send.
pub(crate) trait Received: Message + Default {
    /// Drops what exceeds the protocol's bounds, and gives back its memory.
    fn cut(&mut self);
}

impl Received for Watch {
    fn cut(&mut self) {
        self.rooms.retain(|room| room.len() <= MAX_ROOM_BYTES);
        // One more than allowed, so that whoever reads it still sees that it was too many.
        cut(&mut self.rooms, MAX_WATCHED + 1);
    }
}

impl Received for FromHub {
    fn cut(&mut self) {
        let Some(report) = &mut self.report else { return };
        cut(&mut report.joined, MAX_NAMES);
        cut(&mut report.left, MAX_NAMES);
    }
}

impl Received for Question {
    fn cut(&mut self) {
        cut(&mut self.have, MAX_PREFIXES);
        cut(&mut self.give, MAX_FRAMES);
    }
}

impl Received for Answer {
    fn cut(&mut self) {
        cut(&mut self.frames, MAX_FRAMES);
        cut(&mut self.want, MAX_PREFIXES);
    }
}

fn cut<T>(entries: &mut Vec<T>, most: usize) {
    entries.truncate(most);
    entries.shrink_to_fit();
}

/// One message: its length as an unsigned varint, then its bytes.
pub(crate) async fn write<M: Message>(writer: &mut (impl AsyncWrite + Unpin), message: &M) -> io::Result<()> {
    writer.write_all(&message.encode_length_delimited_to_vec()).await?;
    writer.flush().await
}

/// The next message, of at most so many bytes, cut to its bounds.
pub(crate) async fn read<M: Received>(reader: &mut (impl AsyncRead + Unpin), max: usize) -> io::Result<M> {
    let length = unsigned_varint::aio::read_u32(&mut *reader).await.map_err(io::Error::other)? as usize;
    if length > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{length} bytes announced, {max} allowed")));
    }
    // Grows with what arrives, not with what is announced.
    let mut bytes = Vec::new();
    reader.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut message = M::decode(bytes.as_slice()).map_err(io::Error::other)?;
    message.cut();
    Ok(message)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::hub::wire::Report;

    /// What is read of a message whose bytes are all there.
    fn read_back<M: Received>(message: &M) -> M {
        let bytes = message.encode_length_delimited_to_vec();
        read(&mut bytes.as_slice(), bytes.len()).now_or_never().expect("all is there").expect("a message")
    }

    #[test]
    fn many_small_entries_are_dropped_with_their_memory() {
        const MANY: usize = 32_768;
        let entries = vec![Vec::new(); MANY];
        let watch = read_back(&Watch { rooms: vec![String::new(); MANY], local_only: true });
        assert!(watch.local_only && watch.rooms.len() > MAX_WATCHED, "it is seen to be too long");
        let report = Report { joined: entries.clone(), left: entries.clone(), ..Report::default() };
        let report = read_back(&FromHub::from(report)).report.expect("a report");
        let question = read_back(&Question { have: entries.clone(), give: entries.clone(), ..Question::default() });
        let answer = read_back(&Answer { frames: entries.clone(), want: entries });
        let all = [report.joined, report.left, question.have, question.give, answer.frames, answer.want];
        for places in all.iter().map(Vec::capacity).chain([watch.rooms.capacity()]) {
            assert!(places <= 2 * 1024, "{places} entries take memory");
        }
    }

    #[test]
    fn what_is_within_bounds_is_read_whole() {
        let rooms: Vec<String> = (0..MAX_WATCHED).map(|n| format!("{n:0>MAX_ROOM_BYTES$}")).collect();
        let watch = Watch { rooms, local_only: false };
        assert_eq!(read_back(&watch), watch);
        let entries = vec![vec![7; 38]; MAX_NAMES];
        let report = FromHub::from(Report { joined: entries.clone(), left: entries, ..Report::default() });
        assert_eq!(read_back(&report), report);
    }
}
