//! Our own chunks that the other side has yet to acknowledge, without a gap before them.
//!
//! An association keeps a chunk until all before it are acknowledged too, and goes through all of them at each poll, and
//! again through those that an acknowledgement names. A peer that never fills a first gap would have it keep, and go
//! through, all that is ever sent. So [`super::window`] writes nothing more while many are kept, and acknowledgements are
//! taken only as often as packets of ours ask for them.

use super::sctp::{Data, Sack, follows};

/// Acknowledgements for each packet with DATA that we send. It asks for one at most; its copy on the path, or room that a
/// slow reader makes, may bring another.
const SACKS_PER_PACKET: u32 = 2;
/// Acknowledgements that may be due: as many as if each chunk that [`super::window`] lets us send had a packet of its own.
const MAX_SACKS_DUE: u32 = 8192;

/// Counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Chunks that were sent and are kept.
    pub(super) chunks: usize,
    /// Messages that were sent so far, as far as anybody writes them to a channel.
    pub(super) messages: usize,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// The number of our next chunk, and of the first one that is kept.
    numbers: Option<(u32, u32)>,
    messages: usize,
    sacks_due: u32,
}

impl Flight {
    /// Our side of the association begins with this number.
    pub(super) fn begin(&mut self, tsn: u32) {
        self.numbers.get_or_insert((tsn, tsn));
    }

    /// A packet of ours with these chunks of DATA, for the first time or again.
    pub(super) fn sent<'a>(&mut self, packet: impl Iterator<Item = Data<'a>>) {
        let mut has_data = false;
        for data in packet {
            has_data = true;
            if let Some((next, _)) = self.numbers.as_mut()
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

    /// Whether an acknowledgement is due, and names nothing that was never sent.
    pub(super) fn is_due(&self, sack: &Sack) -> bool {
        let is_sent = |tsn| self.numbers.is_some_and(|(next, _)| follows(next, tsn));
        self.sacks_due > 0 && is_sent(sack.cumulative) && is_sent(sack.last)
    }

    pub(super) fn acknowledged(&mut self, sack: &Sack) {
        self.sacks_due = self.sacks_due.saturating_sub(1);
        if let Some((_, first)) = self.numbers.as_mut()
            && !follows(*first, sack.cumulative)
        {
            *first = sack.cumulative.wrapping_add(1);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let chunks = self.numbers.map_or(0, |(next, first)| next.wrapping_sub(first) as usize);
        Counts { chunks, messages: self.messages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::sctp;

    fn data(tsn: u32) -> Data<'static> {
        Data { tsn, stream: 2, number: Some(0), begins: true, ends: true, protocol: 53, payload: b"x" }
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
        let mut flight = Flight::default();
        assert!(!flight.is_due(&sack(first, first)), "nothing is sent yet");
        flight.begin(first);
        (0..4).for_each(|n| flight.sent([data(first.wrapping_add(n))].into_iter()));
        flight.sent([data(first)].into_iter());
        assert_eq!(flight.counts(), Counts { chunks: 4, messages: 4 }, "one of them was sent twice");
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
        let mut flight = Flight::default();
        flight.begin(1);
        let pieces =
            [Data { ends: false, ..data(1) }, Data { begins: false, ..data(2) }, Data { protocol: 50, ..data(3) }];
        flight.sent(pieces.into_iter());
        assert_eq!(flight.counts(), Counts { chunks: 3, messages: 1 });
    }

    #[test]
    fn acknowledgements_are_due_for_what_was_sent() {
        let mut flight = Flight::default();
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
