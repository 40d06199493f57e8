//! Random choices that are the same for one seed everywhere and under every version of every library.

/// Splitmix64: small, and its numbers never change.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Those of one case: no case depends on how many ran before it.
    pub fn of_case(seed: u64, case: usize) -> Self {
        let mut dice = Self(seed ^ (case as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.number();
        dice
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end.max(1) as u64).expect("below a usize")
    }

    pub fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// One time in so many.
    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.number().to_le_bytes()[0]).collect()
    }

    /// A copy of which a few bytes are others.
    pub fn garble(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut garbled = bytes.to_vec();
        for _ in 0..self.between(1, 8) {
            if !garbled.is_empty() {
                let at = self.below(garbled.len());
                garbled[at] ^= u8::try_from(self.between(1, 255)).expect("a byte");
            }
        }
        garbled
    }

    /// A proper part from the beginning.
    pub fn cut(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes[..self.below(bytes.len())].to_vec()
    }
}
