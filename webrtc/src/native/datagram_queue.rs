//! The received datagrams that one connection has yet to process.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{sctp_state::SctpState, socket::Datagram};
use crate::ConnectionBudget;

/// Datagrams queued for one connection; further ones are dropped.
const MAX_QUEUED: usize = 2048;
/// Memory that they take, in bytes.
const MAX_QUEUED_BYTES: usize = 3 * 1024 * 1024;
/// The same until the other side has proved who it is.
const MAX_EARLY_QUEUED_BYTES: usize = 64 * 1024;
/// Memory that a queued datagram takes besides its payload, in bytes.
const OVERHEAD_BYTES: usize = 128;

/// A datagram in the queue.
#[derive(Debug)]
pub(super) struct QueuedDatagram {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) bytes: Vec<u8>,
    /// Counts it until it is dropped.
    _counted: Counted,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct DatagramQueue {
    datagrams: mpsc::Sender<QueuedDatagram>,
    count: Arc<Count>,
}

#[derive(Debug)]
struct Count {
    bytes: AtomicUsize,
    memory: ConnectionBudget,
    sctp: Arc<SctpState>,
}

#[derive(Debug)]
struct Counted {
    bytes: usize,
    count: Arc<Count>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.count.memory.update_queued(self.bytes, 0);
    }
}

impl DatagramQueue {
    /// For a connection with this account.
    pub(super) fn new(memory: ConnectionBudget, sctp: Arc<SctpState>) -> (Self, mpsc::Receiver<QueuedDatagram>) {
        let (datagrams, incoming) = mpsc::channel(MAX_QUEUED);
        let count = Arc::new(Count { bytes: AtomicUsize::new(0), memory, sctp });
        (Self { datagrams, count }, incoming)
    }

    /// Queues a datagram. If too much is queued, it is dropped: DTLS and SCTP cope with lost datagrams.
    pub(super) fn push(&self, datagram: Datagram<'_>) {
        let bytes = datagram.bytes.len() + OVERHEAD_BYTES;
        let most = if self.count.sctp.is_authenticated() { MAX_QUEUED_BYTES } else { MAX_EARLY_QUEUED_BYTES };
        if self.count.bytes.load(Ordering::Relaxed) + bytes > most || !self.count.memory.has_room(bytes) {
            return;
        }
        let Ok(slot) = self.datagrams.try_reserve() else { return };
        self.count.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.count.memory.update_queued(0, bytes);
        let counted = Counted { bytes, count: self.count.clone() };
        slot.send(QueuedDatagram {
            from: datagram.from,
            to: datagram.to,
            bytes: datagram.bytes.to_vec(),
            _counted: counted,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, FinAckSupport, Limits, Opener, frame, stream::pending_stream};

    fn datagram(bytes: &[u8]) -> Datagram<'_> {
        Datagram { from: ([192, 0, 2, 1], 1).into(), to: ([192, 0, 2, 2], 2).into(), bytes }
    }

    #[test]
    fn little_waits_before_the_handshake_and_all_is_counted() {
        let (budget, sctp) = (Budget::new(Limits::default()), SctpState::new(true, 0));
        let (queue, mut incoming) = DatagramQueue::new(budget.connection(), sctp.clone());
        let large = [7; 1200];
        (0..3 * MAX_QUEUED).for_each(|_| queue.push(datagram(&large)));
        assert_eq!(incoming.len(), MAX_EARLY_QUEUED_BYTES / (1200 + OVERHEAD_BYTES));
        assert_eq!(budget.held(), incoming.len() * (1200 + OVERHEAD_BYTES));
        sctp.set_authenticated();
        (0..3 * MAX_QUEUED).for_each(|_| queue.push(datagram(&large)));
        assert_eq!(incoming.len(), MAX_QUEUED);
        while incoming.try_recv().is_ok() {}
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn with_the_bound_all_but_reached_streams_make_room_for_datagrams() {
        let budget =
            Budget::new(Limits { transport_bytes: 20_000, unauthenticated_bytes: 20_000, ..Limits::default() });
        let (queue, mut incoming) = DatagramQueue::new(budget.connection(), SctpState::new(true, 0));
        let memory = budget.connection();
        let (_stream, events, _outlet) = pending_stream(Opener::Remote, &memory, FinAckSupport::default());
        events.on_message(frame::data(&[7; 18_000]));
        assert!(budget.held() <= 20_000 && budget.held() > 19_000, "{}", budget.held());
        queue.push(datagram(&[7; 1200]));
        assert!(incoming.is_empty(), "there is no room");
        assert_eq!(budget.resets(), 0, "nothing is reset by push, which is called with a lock held");
        budget.make_room();
        assert_eq!(budget.resets(), 1);
        queue.push(datagram(&[7; 1200]));
        assert!(incoming.try_recv().is_ok());
        budget.make_room();
        assert_eq!(budget.resets(), 1, "there is room");
    }
}
