//! Bytes that have come and are not read yet.

use std::collections::VecDeque;

/// Messages shorter than this share a piece: each piece costs some memory besides its bytes.
const PIECE_BYTES: usize = 4 * 1024;

/// See the [module](self). Messages stay in the memory they came in.
#[derive(Debug, Default)]
pub(super) struct ReceiveBuffer {
    /// None of them is empty.
    pieces: VecDeque<Vec<u8>>,
    /// Bytes of the first that are read.
    read: usize,
    len: usize,
}

impl ReceiveBuffer {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        self.len += bytes.len();
        match self.pieces.back_mut() {
            Some(last) if last.len() + bytes.len() <= PIECE_BYTES => last.extend(bytes),
            _ if bytes.is_empty() => {}
            _ => self.pieces.push_back(bytes),
        }
    }

    /// Moves what fits.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(first) = self.pieces.front().filter(|_| filled < buffer.len()) {
            let (rest, room) = (&first[self.read..], &mut buffer[filled..]);
            let count = rest.len().min(room.len());
            room[..count].copy_from_slice(&rest[..count]);
            filled += count;
            self.read += count;
            if self.read == first.len() {
                self.pieces.pop_front();
                self.read = 0;
            }
        }
        self.len -= filled;
        filled
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn what_comes_in_any_pieces_is_read_in_any_others() {
        let sizes = [0, 1, 3, PIECE_BYTES - 3, PIECE_BYTES, 1, 70_000, 0, 2];
        let sent: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|at| (at % 251) as u8).collect();
        for step in [1, 7, 8192, 100_000] {
            let (mut receive_buffer, mut from) = (ReceiveBuffer::default(), 0);
            for size in sizes {
                receive_buffer.push(sent[from..from + size].to_vec());
                from += size;
            }
            assert_eq!(receive_buffer.len(), sent.len());
            let (mut heard, mut buffer) = (Vec::new(), vec![0; step]);
            while !receive_buffer.is_empty() {
                let count = receive_buffer.read(&mut buffer);
                heard.extend_from_slice(&buffer[..count]);
            }
            assert!(heard == sent && receive_buffer.read(&mut buffer) == 0, "by {step}");
        }
    }

    #[wasm_bindgen_test]
    fn many_short_messages_take_few_pieces() {
        let mut receive_buffer = ReceiveBuffer::default();
        for _ in 0..PIECE_BYTES * 3 {
            receive_buffer.push(vec![1]);
        }
        assert_eq!(receive_buffer.pieces.len(), 3);
    }
}
