//! What a slot has stored, in memory too: a browser that clears a site's data takes them from an open page as well.

use tincan_shared::Saved;

use super::Batch;

/// Bytes of entries that are copied.
const MAX_COPIED_BYTES: usize = 8 * 1024 * 1024;

/// A slot's key and entries, as they were last written.
#[derive(Debug, Clone)]
pub struct SlotCopy {
    key: Vec<u8>,
    entries: Saved,
    bytes: usize,
}

impl SlotCopy {
    /// Begins with what is stored.
    #[must_use]
    pub fn new(key: Vec<u8>, entries: Saved) -> Self {
        let bytes = entries.iter().map(|(name, value)| name.len() + value.len()).sum();
        let mut copy = Self { key, entries, bytes };
        copy.bound();
        copy
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn entries(&self) -> &Saved {
        &self.entries
    }

    /// These changes were written.
    pub(super) fn written(&mut self, batch: &Batch) {
        for (name, value) in batch {
            if let Some(old) = self.entries.remove(name) {
                self.bytes -= name.len() + old.len();
            }
            if let Some(value) = value {
                self.bytes += name.len() + value.len();
                self.entries.insert(name.clone(), value.clone());
            }
        }
        self.bound();
    }

    /// Of too much, the first names go: those are the frames of rooms, which other members have as well.
    fn bound(&mut self) {
        while self.bytes > MAX_COPIED_BYTES
            && let Some((name, value)) = self.entries.pop_first()
        {
            self.bytes -= name.len() + value.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_copy_follows_what_is_written_and_lets_frames_go_first() {
        let mut copy = SlotCopy::new(vec![1], [("nick".to_owned(), b"ann".to_vec())].into());
        let large = vec![0; MAX_COPIED_BYTES / 2];
        let put = |name: &str| (name.to_owned(), Some(large.clone()));
        copy.written(&[put("frame/1"), ("room/1".to_owned(), Some(vec![1])), ("nick".to_owned(), None)].into());
        assert_eq!(copy.entries().keys().collect::<Vec<_>>(), ["frame/1", "room/1"]);
        copy.written(&[put("frame/1"), put("frame/2")].into());
        assert_eq!(copy.entries().keys().collect::<Vec<_>>(), ["frame/2", "room/1"], "frames go first");
        copy.written(&[("frame/2".to_owned(), None), ("room/1".to_owned(), None)].into());
        assert_eq!(copy.bytes, 0);
    }
}
