//! A set of stream ids.

/// Stream ids are below this. libp2p peers count them from 0, and browsers have at most 1,024 streams.
pub(super) const MAX_STREAM_IDS: u16 = 2048;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct StreamSet {
    bits: Box<[u64; MAX_STREAM_IDS as usize / 64]>,
    pub(super) count: u32,
}

impl Default for StreamSet {
    fn default() -> Self {
        Self { bits: Box::new([0; MAX_STREAM_IDS as usize / 64]), count: 0 }
    }
}

impl StreamSet {
    pub(super) fn contains(&self, stream: u16) -> bool {
        self.bits.get(usize::from(stream / 64)).is_some_and(|bits| bits & (1 << (stream % 64)) != 0)
    }

    pub(super) fn insert(&mut self, stream: u16) {
        if let Some(bits) = self.bits.get_mut(usize::from(stream / 64)) {
            self.count += u32::from(*bits & (1 << (stream % 64)) == 0);
            *bits |= 1 << (stream % 64);
        }
    }

    pub(super) fn remove(&mut self, stream: u16) {
        if let Some(bits) = self.bits.get_mut(usize::from(stream / 64)) {
            self.count -= u32::from(*bits & (1 << (stream % 64)) != 0);
            *bits &= !(1 << (stream % 64));
        }
    }
}
