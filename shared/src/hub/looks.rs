//! When a node looks at who is where: changes are gathered for a moment, and the longer a look takes the rarer it is,
//! since how many peers and rooms there are, and how often something changes, is up to strangers.

use std::time::Duration;

use n0_future::time::Instant;

/// Changes of who is where are gathered for so long before they are worked through.
pub(crate) const GATHER: Duration = Duration::from_millis(20);
/// After a look there is none for so many times as long as it took: looks take at most an eleventh of the time.
const LOOK_REST: u32 = 10;
/// The longest such rest.
const MAX_LOOK_REST: Duration = Duration::from_secs(2);

/// When to look.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    due: Option<Instant>,
    /// The end of the rest after the last look.
    rested: Option<Instant>,
    /// Whether there was a look whose time is not told yet.
    is_open: bool,
}

impl Looks {
    /// Something may have changed.
    pub(crate) fn changed(&mut self, now: Instant) {
        self.due.get_or_insert(now + GATHER);
    }

    /// When to look, `other` being another reason for it.
    pub(crate) fn deadline(&self, other: Option<Instant>) -> Option<Instant> {
        let due = self.due.into_iter().chain(other).min()?;
        Some(self.rested.map_or(due, |rested| due.max(rested)))
    }

    /// A look begins that will show all changes so far.
    pub(crate) fn begin(&mut self) {
        self.due = None;
        self.is_open = true;
    }

    /// The turn of the event loop is over, in which there may have been a look.
    pub(crate) fn took(&mut self, time: Duration, now: Instant) {
        if std::mem::take(&mut self.is_open) {
            self.rested = Some(now + time.saturating_mul(LOOK_REST).min(MAX_LOOK_REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long looks take in a second with a change each millisecond.
    fn spent(look: Duration) -> Duration {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let start = Instant::now();
        let (mut looks, mut now, mut spent) = (Looks::default(), start, Duration::ZERO);
        while now < start + Duration::from_secs(1) {
            looks.changed(now);
            now += Duration::from_millis(1);
            if looks.deadline(None).is_some_and(|at| at <= now) {
                looks.begin();
                now += look;
                looks.took(look, now);
                spent += look;
            }
        }
        spent
    }

    #[test]
    fn changes_are_gathered_and_long_looks_are_rare() {
        // Without a rest a look of 20 ms would be due all the time.
        for look in [1, 5, 20, 50].map(Duration::from_millis) {
            let spent = spent(look);
            assert!(
                spent > Duration::ZERO && spent <= Duration::from_secs(1) / LOOK_REST + look,
                "{look:?}: {spent:?}"
            );
        }
        assert!(spent(Duration::from_micros(100)) >= Duration::from_millis(4), "short ones are as frequent as before");
    }

    #[test]
    fn another_reason_waits_for_the_rest_too_which_has_an_end() {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Instant::now();
        let mut looks = Looks::default();
        assert_eq!(looks.deadline(None), None);
        assert_eq!(looks.deadline(Some(now)), Some(now));
        looks.begin();
        looks.took(Duration::from_secs(9), now + Duration::from_secs(9));
        assert_eq!(looks.deadline(Some(now)), Some(now + Duration::from_secs(9) + MAX_LOOK_REST));
        assert_eq!(looks.deadline(None), None);
    }
}
