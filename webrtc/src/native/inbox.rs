//! Datagrams that wait for one connection.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{inspect::Gate, socket::Datagram};
use crate::Account;

/// Datagrams that wait for one connection; more are lost, as on their way.
const MAX_QUEUED: usize = 2048;
/// Bytes of memory that they take.
const MAX_QUEUED_BYTES: usize = 3 * 1024 * 1024;
/// The same until the other side has proved who it is.
const MAX_EARLY_QUEUED_BYTES: usize = 64 * 1024;
/// Bytes of memory that a datagram takes besides its own.
const PACKET_BYTES: usize = 128;

/// A datagram on its way to a connection.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) bytes: Vec<u8>,
    /// Counts it as long as it is there.
    _counted: Counted,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Inbox {
    packets: mpsc::Sender<Packet>,
    count: Arc<Count>,
}

#[derive(Debug)]
struct Count {
    bytes: AtomicUsize,
    account: Account,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Counted {
    bytes: usize,
    count: Arc<Count>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.count.account.beside(self.bytes, 0);
    }
}

impl Inbox {
    /// For a connection with this account.
    pub(super) fn new(account: Account, gate: Arc<Gate>) -> (Self, mpsc::Receiver<Packet>) {
        let (packets, incoming) = mpsc::channel(MAX_QUEUED);
        let count = Arc::new(Count { bytes: AtomicUsize::new(0), account, gate });
        (Self { packets, count }, incoming)
    }

    /// Takes a datagram. Where too much waits, it is lost as if on its way.
    pub(super) fn put(&self, datagram: Datagram<'_>) {
        let bytes = datagram.bytes.len() + PACKET_BYTES;
        let most = if self.count.gate.is_proven() { MAX_QUEUED_BYTES } else { MAX_EARLY_QUEUED_BYTES };
        if self.count.bytes.load(Ordering::Relaxed) + bytes > most || !self.count.account.has_room(bytes) {
            return;
        }
        let Ok(place) = self.packets.try_reserve() else { return };
        self.count.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.count.account.beside(0, bytes);
        let counted = Counted { bytes, count: self.count.clone() };
        place.send(Packet { from: datagram.from, to: datagram.to, bytes: datagram.bytes.to_vec(), _counted: counted });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Acknowledging, Budget, Limits, Opened, frame, stream::unconnected};

    fn datagram(bytes: &[u8]) -> Datagram<'_> {
        Datagram { from: ([192, 0, 2, 1], 1).into(), to: ([192, 0, 2, 2], 2).into(), bytes }
    }

    #[test]
    fn little_waits_before_the_handshake_and_all_is_counted() {
        let (budget, gate) = (Budget::new(Limits::default()), Gate::new(true, 0));
        let (inbox, mut incoming) = Inbox::new(budget.open(), gate.clone());
        let large = [7; 1200];
        (0..3 * MAX_QUEUED).for_each(|_| inbox.put(datagram(&large)));
        assert_eq!(incoming.len(), MAX_EARLY_QUEUED_BYTES / (1200 + PACKET_BYTES));
        assert_eq!(budget.held(), incoming.len() * (1200 + PACKET_BYTES));
        gate.prove();
        (0..3 * MAX_QUEUED).for_each(|_| inbox.put(datagram(&large)));
        assert_eq!(incoming.len(), MAX_QUEUED);
        while incoming.try_recv().is_ok() {}
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn with_the_bound_all_but_reached_streams_make_room_for_datagrams() {
        let budget = Budget::new(Limits { transport_bytes: 20_000, unproven_bytes: 20_000, ..Limits::default() });
        let (inbox, mut incoming) = Inbox::new(budget.open(), Gate::new(true, 0));
        let account = budget.open();
        let (_stream, feed, _outlet) = unconnected(Opened::There, &account, Acknowledging::default());
        feed.message(frame::data(&[7; 18_000]));
        assert!(budget.held() <= 20_000 && budget.held() > 19_000, "{}", budget.held());
        inbox.put(datagram(&[7; 1200]));
        assert!(incoming.is_empty(), "there is no room");
        assert_eq!(budget.resets(), 0, "whoever puts holds a lock");
        budget.make_room();
        assert_eq!(budget.resets(), 1);
        inbox.put(datagram(&[7; 1200]));
        assert!(incoming.try_recv().is_ok());
        budget.make_room();
        assert_eq!(budget.resets(), 1, "there is room");
    }
}
