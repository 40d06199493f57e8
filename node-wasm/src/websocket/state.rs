//! The state machine of one connection, driven by the events of its socket. It does not touch the browser.

use std::{
    cell::RefCell,
    io,
    task::{Context, Poll, Waker},
};

use super::receive_buffer::ReceiveBuffer;

/// Bytes that were received and not read. A WebSocket has no back-pressure in a browser, so more ends the connection.
pub const MAX_UNREAD: usize = 16 * 1024 * 1024;

/// Close codes of an orderly end: normal, going away, and none given.
const CLEAN_CODES: [u16; 3] = [1000, 1001, 1005];

/// The events of the socket.
#[derive(Debug)]
pub(super) enum Event {
    Opened,
    Binary(Vec<u8>),
    Text,
    /// A message that [`State::capacity`] has no place for.
    Overflow,
    Errored,
    Closed {
        code: u16,
    },
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It never opened. Browsers do not tell a page why, so that pages cannot explore the network.
    Unreachable,
    Clean,
    Broken(u16),
    Text,
    Overflow,
}

impl End {
    fn error(self) -> io::Error {
        let (kind, message) = match self {
            Self::Unreachable => {
                (io::ErrorKind::ConnectionRefused, "the connection was refused or the address is wrong".to_owned())
            }
            Self::Clean => (io::ErrorKind::BrokenPipe, "the connection is closed".to_owned()),
            Self::Broken(code) => {
                (io::ErrorKind::ConnectionReset, format!("the connection broke (WebSocket close code {code})"))
            }
            Self::Text => {
                (io::ErrorKind::InvalidData, "the other side sent text, not bytes; it is no libp2p peer".to_owned())
            }
            Self::Overflow => (
                io::ErrorKind::OutOfMemory,
                format!("the other side sent more than {MAX_UNREAD} bytes before they were read"),
            ),
        };
        io::Error::new(kind, message)
    }
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Connecting,
    Open,
    Ended(End),
}

#[derive(Debug)]
pub(super) struct State {
    phase: Phase,
    unread: ReceiveBuffer,
    /// Waits for bytes.
    reader: Option<Waker>,
    /// Waits for the connection to open, for room, or for the end.
    writer: Option<Waker>,
    /// The writer waits for room in the browser's send buffer.
    pub(super) full: bool,
}

impl State {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Connecting, unread: ReceiveBuffer::default(), reader: None, writer: None, full: false }
    }

    /// Handles an event and wakes tasks, which happens after the borrow: a waker may run anything.
    pub(super) fn dispatch(state: &RefCell<Self>, event: Event) {
        let woken = state.borrow_mut().handle(event);
        for waker in woken.into_iter().flatten() {
            waker.wake();
        }
    }

    fn handle(&mut self, event: Event) -> [Option<Waker>; 2] {
        match (self.phase, event) {
            // Further events of an end that is already known.
            (Phase::Ended(_), _) => [None, None],
            (_, Event::Binary(bytes)) => {
                self.unread.push(bytes);
                // The other side may be answering what it has read: a writer that waits for room checks again.
                [self.reader.take(), if self.full { self.writer.take() } else { None }]
            }
            (Phase::Connecting, Event::Opened) => {
                self.phase = Phase::Open;
                [None, self.writer.take()]
            }
            (Phase::Connecting, Event::Errored | Event::Closed { .. }) => self.end(End::Unreachable),
            // Once open, the close event that follows says more.
            (Phase::Open, Event::Opened | Event::Errored) => [None, None],
            (Phase::Open, Event::Closed { code }) if CLEAN_CODES.contains(&code) => self.end(End::Clean),
            (Phase::Open, Event::Closed { code }) => self.end(End::Broken(code)),
            (_, Event::Text) => self.fail(End::Text),
            (_, Event::Overflow) => self.fail(End::Overflow),
        }
    }

    fn end(&mut self, end: End) -> [Option<Waker>; 2] {
        self.phase = Phase::Ended(end);
        [self.reader.take(), self.writer.take()]
    }

    /// The other side broke the rules: what it sent before is dropped.
    fn fail(&mut self, end: End) -> [Option<Waker>; 2] {
        self.unread = ReceiveBuffer::default();
        self.end(end)
    }

    /// Bytes that may still arrive before some are read.
    pub(super) fn capacity(&self) -> usize {
        MAX_UNREAD.saturating_sub(self.unread.len())
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Ready once bytes can be written: an error when they never can.
    pub(super) fn poll_open(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        match self.phase {
            Phase::Connecting => {
                self.await_write(cx);
                Poll::Pending
            }
            Phase::Open => Poll::Ready(Ok(())),
            Phase::Ended(end) => Poll::Ready(Err(end.error())),
        }
    }

    /// Bytes that were received are read before the end or an error.
    pub(super) fn poll_read(&mut self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.unread.is_empty() {
            return Poll::Ready(Ok(self.unread.read(buffer)));
        }
        match self.phase {
            Phase::Ended(End::Clean) => Poll::Ready(Ok(0)),
            Phase::Ended(end) => Poll::Ready(Err(end.error())),
            Phase::Connecting | Phase::Open => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Wakes this task when the connection opens or ends.
    pub(super) fn await_write(&mut self, cx: &Context<'_>) {
        self.writer = Some(cx.waker().clone());
    }
}
