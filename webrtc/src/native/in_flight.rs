//! Counts our chunks in flight: sent, and not yet acknowledged together with all chunks before them.
//!
//! An association keeps a chunk until all before it are acknowledged too. It scans all that it keeps at each poll, and again
//! for each SACK. A peer that never acknowledges one chunk could make it keep and scan everything sent after that. So
//! [`super::window`] stops writing while many chunks are in flight, and SACKs are accepted only as often as our packets ask
//! for them.

use super::sctp::{Data, Sack, follows};

/// SACKs accepted for each packet with DATA that we send. It asks for one; a duplicate on the path, or a slow reader that
/// opens its window again, may cause another.
const SACKS_PER_PACKET: u32 = 2;
/// SACKs that may be due: twice as many as the chunks that [`super::window`] allows in flight.
const MAX_SACKS_DUE: u32 = 8192;

/// What is in flight at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct InFlightCounts {
    /// Chunks that the association keeps.
    pub(super) chunks: usize,
    /// Messages sent since the connection began, those of DCEP apart.
    pub(super) messages: usize,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// The TSN of our next chunk, and of the first one in flight.
    tsns: Option<(u32, u32)>,
    messages: usize,
    sacks_due: u32,
}

impl InFlight {
    /// The TSN that we begin with.
    pub(super) fn begin(&mut self, tsn: u32) {
        self.tsns.get_or_insert((tsn, tsn));
    }

    /// We sent a packet with these DATA chunks, which may be retransmissions.
    pub(super) fn sent<'a>(&mut self, packet: impl Iterator<Item = Data<'a>>) {
        let mut has_data = false;
        for data in packet {
            has_data = true;
            if let Some((next, _)) = self.tsns.as_mut()
                && !follows(*next, data.tsn)
            {
                *next = data.tsn.wrapping_add(1);
                self.messages += usize::from(data.begins && !data.is_dcep());
            }
        }
        if has_data {
            self.sacks_due = (self.sacks_due + SACKS_PER_PACKET).min(MAX_SACKS_DUE);
        }
    }

    /// Whether a SACK is due, and reports nothing that was never sent.
    pub(super) fn is_due(&self, sack: &Sack) -> bool {
        let is_sent = |tsn| self.tsns.is_some_and(|(next, _)| follows(next, tsn));
        self.sacks_due > 0 && is_sent(sack.cumulative) && is_sent(sack.last)
    }

    pub(super) fn acknowledged(&mut self, sack: &Sack) {
        self.sacks_due = self.sacks_due.saturating_sub(1);
        if let Some((_, first)) = self.tsns.as_mut()
            && !follows(*first, sack.cumulative)
        {
            *first = sack.cumulative.wrapping_add(1);
        }
    }

    pub(super) fn counts(&self) -> InFlightCounts {
        let chunks = self.tsns.map_or(0, |(next, first)| next.wrapping_sub(first) as usize);
        InFlightCounts { chunks, messages: self.messages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::sctp;

    fn data(tsn: u32) -> Data<'static> {
        Data { tsn, stream: 2, ssn: Some(0), begins: true, ends: true, ppid: 53, payload: b"x" }
    }

    fn sack(cumulative: u32, last: u32) -> Sack {
        Sack { cumulative, last }
    }

    #[test]
    fn an_acknowledgement_names_chunks_up_to_the_end_of_its_last_block() {
        for (blocks, last) in [(&[][..], u32::MAX), (&[(2, 3), (5, 5)], 4)] {
            let chunk = sctp::tests::sack(u32::MAX, blocks);
            assert_eq!(Sack::read(&chunk[4..]), Some(sack(u32::MAX, last)));
        }
    }

    #[test]
    fn chunks_are_kept_until_all_before_them_are_acknowledged() {
        let first = u32::MAX - 1;
        let mut flight = InFlight::default();
        assert!(!flight.is_due(&sack(first, first)), "nothing is sent yet");
        flight.begin(first);
        (0..4).for_each(|n| flight.sent([data(first.wrapping_add(n))].into_iter()));
        flight.sent([data(first)].into_iter());
        assert_eq!(flight.counts(), InFlightCounts { chunks: 4, messages: 4 }, "one of them was sent twice");
        flight.acknowledged(&sack(first.wrapping_sub(1), first.wrapping_add(3)));
        assert_eq!(flight.counts().chunks, 4, "the first one is missing");
        flight.acknowledged(&sack(first.wrapping_add(2), first.wrapping_add(2)));
        flight.acknowledged(&sack(first, first));
        assert_eq!(flight.counts().chunks, 1, "an older acknowledgement is late");
        flight.begin(first);
        assert_eq!(flight.counts().chunks, 1, "the association began once");
    }

    #[test]
    fn what_opens_a_channel_is_no_message_of_its_writer() {
        let mut flight = InFlight::default();
        flight.begin(1);
        let pieces = [Data { ends: false, ..data(1) }, Data { begins: false, ..data(2) }, Data { ppid: 50, ..data(3) }];
        flight.sent(pieces.into_iter());
        assert_eq!(flight.counts(), InFlightCounts { chunks: 3, messages: 1 });
    }

    #[test]
    fn acknowledgements_are_due_for_what_was_sent() {
        let mut flight = InFlight::default();
        flight.begin(1);
        assert!(!flight.is_due(&sack(0, 0)), "no packet asks for one");
        flight.sent([data(1), data(2)].into_iter());
        for named in [sack(3, 3), sack(0, 3), sack(1, 3)] {
            assert!(!flight.is_due(&named), "{named:?} names what was never sent");
        }
        let taken =
            (0..9).take_while(|_| flight.is_due(&sack(0, 2)).then(|| flight.acknowledged(&sack(0, 2))).is_some());
        assert_eq!(taken.count(), SACKS_PER_PACKET as usize);
        (0..2 * MAX_SACKS_DUE).for_each(|_| flight.sent([data(2)].into_iter()));
        assert_eq!(flight.sacks_due, MAX_SACKS_DUE);
    }
}
