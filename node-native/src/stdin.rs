//! Lines from standard input, bounded in size and number.

use std::{
    io::{self, BufRead},
    thread,
};

use tokio::sync::mpsc;

/// Lines read ahead of what is done with them.
const READ_AHEAD: usize = 16;

/// A line of standard input.
#[derive(Debug)]
pub enum Line {
    /// Its text, without its end; what is no UTF-8 is replaced.
    Text(String),
    /// More bytes than the bound; they were thrown away.
    TooLong,
    /// Reading failed; nothing follows.
    Failed(io::Error),
}

/// Reads lines of at most `bound` bytes. The channel closes at the end of input.
///
/// The reader is a thread of its own: a read from a terminal cannot be cancelled, and must not hold up the end.
#[must_use]
pub fn lines(bound: usize) -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let (line, last) = match read_line(&mut input, bound) {
                Ok(Some(line)) => (line, false),
                Ok(None) => break,
                Err(error) => (Line::Failed(error), true),
            };
            if sender.blocking_send(line).is_err() || last {
                break;
            }
        }
    });
    receiver
}

fn read_line(input: &mut impl BufRead, bound: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let (mut too_long, mut any) = (false, false);
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        if too_long || line.len() + part.len() > bound {
            too_long = true;
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    if too_long {
        return Ok(Some(Line::TooLong));
    }
    let text = line.strip_suffix(b"\r").unwrap_or(&line);
    Ok(any.then(|| Line::Text(String::from_utf8_lossy(text).into_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_the_last_needs_no_end() {
        let mut input = io::BufReader::with_capacity(3, &b"one\r\n\nmuch too long\n\xffx"[..]);
        let mut next = || read_line(&mut input, 5).unwrap();
        let mut text = |text: &str| assert!(matches!(next(), Some(Line::Text(read)) if read == text), "{text}");
        text("one");
        text("");
        assert!(matches!(read_line(&mut input, 5).unwrap(), Some(Line::TooLong)));
        let mut next = || read_line(&mut input, 5).unwrap();
        assert!(matches!(next(), Some(Line::Text(read)) if read == "\u{fffd}x"));
        assert!(next().is_none());
    }
}
