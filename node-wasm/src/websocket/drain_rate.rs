//! How fast the browser's send buffer empties, and so when to check it again. No event tells that it has room.

use std::time::Duration;

use n0_future::time::Instant;

/// The first wait, and the shortest one.
const FIRST: Duration = Duration::from_millis(4);
/// The longest wait, on a network that takes nothing.
const LONGEST: Duration = Duration::from_millis(250);

/// See the [module](self).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DrainRate {
    /// When the full buffer was last checked, and how many bytes it held.
    checked: Option<(Instant, usize)>,
    wait: Duration,
}

impl DrainRate {
    /// How long to wait until no more than `low` bytes of `buffered` should be left: at the rate since the last
    /// check; twice as long as before if nothing was sent since.
    pub(super) fn wait_until(&mut self, low: usize, buffered: usize, now: Instant) -> Duration {
        let before = self.checked.replace((now, buffered));
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

    /// The buffer has room. The next time that it is full is measured anew, beginning with half of the last wait.
    pub(super) fn with_room(self) -> Self {
        if self.checked.is_some() { Self { checked: None, wait: self.wait / 2 } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    #[allow(clippy::disallowed_methods, reason = "a beginning is needed, any")]
    fn a_full_buffer_is_checked_when_it_should_be_empty() {
        let (mut drain_rate, begin) = (DrainRate::default(), Instant::now());
        assert_eq!(drain_rate.wait_until(100, 1000, begin), FIRST);
        // 100 in 10 ms, 800 to go.
        let wait = drain_rate.wait_until(100, 900, begin + Duration::from_millis(10));
        assert!(wait.abs_diff(Duration::from_millis(80)) < Duration::from_millis(1), "{wait:?}");
        let stuck = begin + Duration::from_millis(90);
        assert_eq!(
            [1, 2, 3].map(|n| drain_rate.wait_until(100, 900, stuck + LONGEST * n)),
            [wait * 2, LONGEST, LONGEST]
        );
        for wait in [LONGEST / 2, LONGEST / 4] {
            drain_rate = drain_rate.with_room().with_room();
            assert_eq!(drain_rate.wait_until(100, 1000, stuck), wait);
        }
    }
}
