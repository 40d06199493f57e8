//! How fast a send buffer empties, and so when to look at it again.

use std::time::Duration;

use n0_future::time::Instant;

/// Before anything is known; also the shortest wait.
const FIRST: Duration = Duration::from_millis(4);
/// The longest wait, on a network that takes nothing.
const LONGEST: Duration = Duration::from_millis(250);

/// See the [module](self).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// When the full buffer was last looked at, and what was in it.
    looked: Option<(Instant, usize)>,
    wait: Duration,
}

impl Pace {
    /// How long to wait until no more than `low` bytes of `buffered` should be left: by the pace since the last look,
    /// twice as long as before where there was none.
    pub(super) fn until(&mut self, low: usize, buffered: usize, now: Instant) -> Duration {
        let before = self.looked.replace((now, buffered));
        let gone = before.map_or(0, |(_, before)| before.saturating_sub(buffered));
        self.wait = match before {
            Some((then, _)) if gone > 0 => {
                let share = buffered.saturating_sub(low) as f64 / gone as f64;
                Duration::try_from_secs_f64(now.duration_since(then).as_secs_f64() * share).unwrap_or(LONGEST)
            }
            Some(_) => self.wait * 2,
            None => self.wait,
        };
        self.wait = self.wait.clamp(FIRST, LONGEST);
        self.wait
    }

    /// The buffer has room. What was in it says nothing about the next time it is full; how long it took says that it
    /// did not take longer.
    pub(super) fn rested(self) -> Self {
        if self.looked.is_some() { Self { looked: None, wait: self.wait / 2 } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    #[allow(clippy::disallowed_methods, reason = "a beginning is needed, any")]
    fn a_full_buffer_is_looked_at_when_it_should_be_empty() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.until(100, 1000, begin), FIRST);
        // 100 in 10 ms, 800 to go.
        let wait = pace.until(100, 900, begin + Duration::from_millis(10));
        assert!(wait.abs_diff(Duration::from_millis(80)) < Duration::from_millis(1), "{wait:?}");
        let stuck = begin + Duration::from_millis(90);
        assert_eq!([1, 2, 3].map(|n| pace.until(100, 900, stuck + LONGEST * n)), [wait * 2, LONGEST, LONGEST]);
        for wait in [LONGEST / 2, LONGEST / 4] {
            pace = pace.rested().rested();
            assert_eq!(pace.until(100, 1000, stuck), wait);
        }
    }
}
