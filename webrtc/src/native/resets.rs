//! Resets that the association owes in return.
//!
//! Who is asked to begin a stream anew begins its own direction of that stream anew too (RFC 8831, 6.7). The association
//! asks for that in one request for each of the other side's, and makes the next one only when the last is answered. It
//! keeps those that wait, and goes through all of them at each poll. Somebody who asks and never answers would have it
//! keep more and more.

use std::collections::VecDeque;

use super::{
    sctp::{Reset, follows},
    stream_set::Streams,
};

/// Requests that wait to be made. The other side's come one after another, each after our answer to the one before: on a
/// path of 8 ms that is a second's.
const MAX_OWED: usize = 128;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Resets {
    /// Requests of the other side whose streams we have yet to reset in return.
    owed: VecDeque<u32>,
    /// Our last request and its streams, until it is answered.
    asked: Option<(u32, Vec<u16>)>,
    /// Streams that we have reset and nobody has used since. The other side's reset of them is its return.
    ours: Streams,
}

impl Resets {
    /// Whether a new request is one too many, after so many others in the same packet.
    pub(super) fn is_too_much(&self, reset: &Reset, before: usize) -> bool {
        self.owed.len() + before >= MAX_OWED && !self.is_return(reset)
    }

    fn is_return(&self, reset: &Reset) -> bool {
        !reset.streams.is_empty() && reset.streams.iter().all(|stream| self.ours.contains(*stream))
    }

    /// The other side resets streams, for the first time.
    pub(super) fn came(&mut self, reset: &Reset) {
        if !self.is_return(reset) {
            self.owed.push_back(reset.request);
        }
    }

    /// We ask the other side, perhaps again. Requests are made in the order of those that they are owed for, and one of our
    /// own only when none is owed.
    pub(super) fn ask(&mut self, reset: Reset) {
        while self.owed.pop_front_if(|owed| !follows(*owed, reset.response)).is_some() {}
        self.asked = Some((reset.request, reset.streams));
    }

    /// The other side has answered a request of ours.
    pub(super) fn answered(&mut self, request: u32) {
        if let Some((_, streams)) = self.asked.take_if(|(asked, _)| *asked == request) {
            streams.into_iter().for_each(|stream| self.ours.insert(stream));
        }
    }

    /// A stream carries something.
    pub(super) fn used(&mut self, stream: u16) {
        self.ours.remove(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(request: u32, response: u32, stream: u16) -> Reset {
        Reset { request, response, after: 0, streams: vec![stream] }
    }

    #[test]
    fn who_never_answers_is_owed_no_more() {
        let mut resets = Resets::default();
        let first = u32::MAX - 5;
        let nth = |n: usize| reset(first.wrapping_add(n as u32), 0, 2);
        resets.came(&nth(0));
        resets.ask(reset(7, first, 2));
        for n in 1..=MAX_OWED {
            assert!(!resets.is_too_much(&nth(n), 0), "{n}");
            assert_eq!(resets.is_too_much(&nth(n), 1), n == MAX_OWED, "{n}, the second of its packet");
            resets.came(&nth(n));
        }
        assert!(resets.is_too_much(&nth(MAX_OWED + 1), 0));
        resets.ask(reset(7, first, 2));
        assert!(resets.is_too_much(&nth(MAX_OWED + 1), 0), "we only asked again");
        resets.answered(7);
        resets.ask(reset(8, first.wrapping_add(1), 2));
        assert!(!resets.is_too_much(&nth(MAX_OWED + 1), 0));
    }

    #[test]
    fn what_comes_in_return_for_ours_is_owed_nothing() {
        let mut resets = Resets::default();
        for n in 1..=10 * MAX_OWED as u32 {
            let stream = (n % 100) as u16;
            resets.used(stream);
            resets.ask(reset(n, 0, stream));
            resets.answered(n);
            resets.came(&reset(n, n, stream));
            assert!(resets.owed.is_empty());
        }
        resets.used(1);
        resets.came(&reset(0, 0, 1));
        resets.came(&Reset { request: 1, response: 0, after: 0, streams: Vec::new() });
        assert_eq!(resets.owed, [0, 1], "a stream that is in use again, and all streams");
    }

    #[test]
    fn a_request_of_our_own_says_that_nothing_is_owed() {
        let mut resets = Resets::default();
        (1..=MAX_OWED as u32).for_each(|n| resets.came(&reset(n, 0, 2)));
        resets.ask(reset(1, MAX_OWED as u32, 4));
        assert!(resets.owed.is_empty());
    }
}
