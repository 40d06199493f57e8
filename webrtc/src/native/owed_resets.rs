//! Bounds the stream resets that our association has yet to make in return for the other side's.
//!
//! When the other side resets its direction of a stream, we reset ours too (RFC 8831, 6.7). The association makes one request
//! for each of the other side's requests, and the next one only when the last is answered. It keeps those that wait, and
//! scans all of them at each poll. A peer that asks and never answers could make that list grow without end.

use std::collections::VecDeque;

use super::{
    sctp::{Reset, follows},
    stream_set::StreamSet,
};

/// Requests that wait to be made. The other side makes one request a round trip, so on a path of 8 ms these are a second's.
const MAX_OWED: usize = 128;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct OwedResets {
    /// Sequence numbers of the other side's requests whose streams we have yet to reset in return.
    owed: VecDeque<u32>,
    /// Our last request and its streams, until it is answered.
    outstanding: Option<(u32, Vec<u16>)>,
    /// Streams that we reset first and that were not used since: the other side resets them in return.
    reset_by_us: StreamSet,
}

impl OwedResets {
    /// Whether a new request is too many, with so many others in the same packet before it.
    pub(super) fn is_too_much(&self, reset: &Reset, before: usize) -> bool {
        self.owed.len() + before >= MAX_OWED && !self.is_return(reset)
    }

    fn is_return(&self, reset: &Reset) -> bool {
        !reset.streams.is_empty() && reset.streams.iter().all(|stream| self.reset_by_us.contains(*stream))
    }

    /// The other side requests a reset that is no duplicate.
    pub(super) fn received(&mut self, reset: &Reset) {
        if !self.is_return(reset) {
            self.owed.push_back(reset.request);
        }
    }

    /// We send a request, perhaps again. The association makes owed requests in order, and its own ones after them.
    pub(super) fn requested(&mut self, reset: Reset) {
        while self.owed.pop_front_if(|owed| !follows(*owed, reset.response_seq)).is_some() {}
        self.outstanding = Some((reset.request, reset.streams));
    }

    /// The other side has answered a request of ours.
    pub(super) fn answered(&mut self, request: u32) {
        if let Some((_, streams)) = self.outstanding.take_if(|(asked, _)| *asked == request) {
            streams.into_iter().for_each(|stream| self.reset_by_us.insert(stream));
        }
    }

    /// A stream is used.
    pub(super) fn used(&mut self, stream: u16) {
        self.reset_by_us.remove(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(request: u32, response_seq: u32, stream: u16) -> Reset {
        Reset { request, response_seq, last_tsn: 0, streams: vec![stream] }
    }

    #[test]
    fn who_never_answers_is_owed_no_more() {
        let mut resets = OwedResets::default();
        let first = u32::MAX - 5;
        let nth = |n: usize| reset(first.wrapping_add(n as u32), 0, 2);
        resets.received(&nth(0));
        resets.requested(reset(7, first, 2));
        for n in 1..=MAX_OWED {
            assert!(!resets.is_too_much(&nth(n), 0), "{n}");
            assert_eq!(resets.is_too_much(&nth(n), 1), n == MAX_OWED, "{n}, the second of its packet");
            resets.received(&nth(n));
        }
        assert!(resets.is_too_much(&nth(MAX_OWED + 1), 0));
        resets.requested(reset(7, first, 2));
        assert!(resets.is_too_much(&nth(MAX_OWED + 1), 0), "we only asked again");
        resets.answered(7);
        resets.requested(reset(8, first.wrapping_add(1), 2));
        assert!(!resets.is_too_much(&nth(MAX_OWED + 1), 0));
    }

    #[test]
    fn what_comes_in_return_for_ours_is_owed_nothing() {
        let mut resets = OwedResets::default();
        for n in 1..=10 * MAX_OWED as u32 {
            let stream = (n % 100) as u16;
            resets.used(stream);
            resets.requested(reset(n, 0, stream));
            resets.answered(n);
            resets.received(&reset(n, n, stream));
            assert!(resets.owed.is_empty());
        }
        resets.used(1);
        resets.received(&reset(0, 0, 1));
        resets.received(&Reset { request: 1, response_seq: 0, last_tsn: 0, streams: Vec::new() });
        assert_eq!(resets.owed, [0, 1], "a stream that is in use again, and all streams");
    }

    #[test]
    fn a_request_of_our_own_says_that_nothing_is_owed() {
        let mut resets = OwedResets::default();
        (1..=MAX_OWED as u32).for_each(|n| resets.received(&reset(n, 0, 2)));
        resets.requested(reset(1, MAX_OWED as u32, 4));
        assert!(resets.owed.is_empty());
    }
}
