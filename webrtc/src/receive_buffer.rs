//! Payload that was received and not read yet, and the memory that it takes.
//!
//! A frame may carry a single byte, but a queue entry costs a hundred times that. So small payloads are copied into blocks,
//! and each entry is counted with its overhead.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Memory that an entry costs besides its payload, in bytes: its place in a queue that grows by doubling, and allocations.
pub(crate) const ENTRY_BYTES: usize = 160;
/// Payloads of at least this many bytes are kept in the memory that they came in.
const LARGE_PAYLOAD_BYTES: usize = 2048;
/// Bytes of the first block for small payloads. Each further block is twice as large,
const FIRST_BLOCK_BYTES: usize = 128;
/// up to this many bytes.
const LARGEST_BLOCK_BYTES: usize = 8 * 1024;

#[derive(Debug)]
struct Entry {
    bytes: Bytes,
    /// Memory that is freed with it, in bytes.
    cost: usize,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct ReceiveBuffer {
    entries: VecDeque<Entry>,
    /// Of all entries.
    cost: usize,
    /// The block that is being filled; it comes after all entries.
    block: BytesMut,
    /// Bytes that were allocated for it.
    block_bytes: usize,
}

impl ReceiveBuffer {
    /// Takes a payload, which is a slice of a message that takes `kept_alive` bytes of memory.
    pub(crate) fn push(&mut self, mut payload: Bytes, kept_alive: usize) {
        if payload.len() >= LARGE_PAYLOAD_BYTES && payload.len() * 2 >= kept_alive {
            self.finish_block();
            return self.enter(payload, kept_alive);
        }
        while !payload.is_empty() {
            if self.block.len() == self.block.capacity() {
                let next = (self.block_bytes * 2).clamp(FIRST_BLOCK_BYTES, LARGEST_BLOCK_BYTES);
                self.finish_block();
                self.block = BytesMut::with_capacity(next);
                self.block_bytes = next;
            }
            let room = self.block.capacity() - self.block.len();
            self.block.extend_from_slice(&payload.split_to(payload.len().min(room)));
        }
    }

    fn finish_block(&mut self) {
        if !self.block.is_empty() {
            let bytes = std::mem::take(&mut self.block).freeze();
            self.enter(bytes, self.block_bytes);
        }
        self.block = BytesMut::new();
    }

    fn enter(&mut self, bytes: Bytes, memory: usize) {
        let cost = memory.max(bytes.len()) + ENTRY_BYTES;
        self.cost += cost;
        self.entries.push_back(Entry { bytes, cost });
    }

    /// Reads into a buffer. Returns how many bytes, none if there are none.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let Some(first) = self.entries.front_mut() else { return self.read_block(buffer) };
        let count = first.bytes.len().min(buffer.len());
        first.bytes.copy_to_slice(&mut buffer[..count]);
        if first.bytes.is_empty() {
            self.cost -= first.cost;
            self.entries.pop_front();
            if self.entries.is_empty() {
                self.entries = VecDeque::new();
            }
            if self.is_empty() {
                self.block_bytes = 0;
            }
        }
        Some(count)
    }

    fn read_block(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.block.is_empty() {
            return None;
        }
        let count = self.block.len().min(buffer.len());
        self.block.copy_to_slice(&mut buffer[..count]);
        if self.block.is_empty() {
            (self.block, self.block_bytes) = (BytesMut::new(), 0);
        }
        Some(count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.block.is_empty()
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn cost(&self) -> usize {
        let block = if self.block.is_empty() { 0 } else { self.block_bytes + ENTRY_BYTES };
        self.cost + block
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_payloads_cost_little_more_than_their_bytes() {
        let mut unread = ReceiveBuffer::default();
        for n in 0..100_000_u32 {
            unread.push(Bytes::copy_from_slice(&n.to_le_bytes()[..2]), 4);
        }
        assert!(unread.cost() < 200_000 * 11 / 10, "{} bytes for 200,000", unread.cost());
        assert!(unread.entries.len() < 40, "{}", unread.entries.len());
    }

    #[test]
    fn a_slice_of_something_large_is_copied_or_counted_as_what_it_keeps() {
        let mut unread = ReceiveBuffer::default();
        let message = Bytes::from(vec![7; 64 * 1024]);
        unread.push(message.slice(..4096), message.len());
        assert!(unread.cost() < 16 * 1024, "copied");
        unread.push(message.slice(..40_000), message.len());
        assert!(unread.cost() > message.len(), "kept");
    }

    proptest! {
        #[test]
        fn all_is_read_in_order_and_nothing_is_counted_then(
            sizes in prop::collection::vec((prop_oneof![0..40usize, 0..20_000usize], 0..3usize), 0..40),
            reads in prop::collection::vec(1..30_000usize, 1..40),
        ) {
            let (mut unread, mut wanted, mut got, mut next) = (ReceiveBuffer::default(), Vec::new(), Vec::new(), 0_u8);
            let mut reads = reads.into_iter().cycle();
            for (size, often) in sizes {
                let payload: Vec<u8> = (0..size).map(|_| { next = next.wrapping_add(1); next }).collect();
                wanted.extend_from_slice(&payload);
                unread.push(payload.into(), size);
                prop_assert!(unread.cost() >= wanted.len() - got.len());
                for _ in 0..often {
                    let mut buffer = vec![0; reads.next().unwrap()];
                    if let Some(count) = unread.read(&mut buffer) {
                        got.extend_from_slice(&buffer[..count]);
                    }
                }
            }
            let mut buffer = [0; 999];
            while let Some(count) = unread.read(&mut buffer) {
                got.extend_from_slice(&buffer[..count]);
            }
            prop_assert_eq!(got, wanted);
            prop_assert!(unread.is_empty());
            prop_assert_eq!(unread.cost(), 0);
        }
    }
}
