//! How fast a stream of strangers' messages is read, however small they are: what is not read keeps its sender waiting.

use std::time::Duration;

use n0_future::time::sleep;

/// Pauses whenever messages of so much cost were read.
#[derive(Debug)]
pub(crate) struct Pace {
    at_once: usize,
    pause: Duration,
    read: usize,
}

impl Pace {
    pub(crate) fn new(at_once: usize, pause: Duration) -> Self {
        Self { at_once, pause, read: 0 }
    }

    /// Waits, if it is time for a pause, before a message of this cost is worked through.
    pub(crate) async fn read(&mut self, cost: usize) {
        if self.is_over(cost) {
            sleep(self.pause).await;
        }
    }

    fn is_over(&mut self, cost: usize) -> bool {
        self.read += cost;
        let is_over = self.read > self.at_once;
        if is_over {
            self.read = cost;
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_goes_between_two_pauses() {
        let mut pace = Pace::new(10, Duration::from_secs(1));
        let pauses = (0..100).filter(|_| pace.is_over(1)).count();
        assert_eq!(pauses, 9, "none before the first ten");
        let pauses = (0..100).filter(|_| pace.is_over(500)).count();
        assert_eq!(pauses, 100, "what costs much always waits");
    }
}
