//! What passed, in order. It is encrypted, so only lengths tell what it is.

use std::sync::{Arc, Mutex};

/// Datagrams of so many bytes carry data; smaller ones acknowledge, or say a word about a stream.
const DATA_BYTES: usize = 500;
/// The first byte of what DTLS carries, unlike that of handshakes and of STUN.
const APPLICATION_DATA: u8 = 23;

/// Where a datagram passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// Left the dialer.
    Sent,
    /// Left it and got lost.
    Lost,
    /// Came to the listener.
    Arrived,
    /// Left the listener.
    Answered,
    /// Came to the dialer.
    Returned,
}

#[derive(Debug, Default)]
struct State {
    passed: Vec<(Passed, usize)>,
    /// So many datagrams of data go on before one gets lost.
    lose_after: Option<usize>,
}

/// See the [module](self).
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<State>>);

impl Log {
    /// Answers whether it goes on.
    pub(super) fn note(&self, passed: Passed, datagram: &[u8]) -> bool {
        let mut state = self.0.lock().expect("no panic");
        if datagram.first() != Some(&APPLICATION_DATA) {
            return true;
        }
        let left = state.lose_after.as_mut().filter(|_| passed == Passed::Sent && is_data(datagram.len()));
        let lost = left.is_some_and(|left| left.checked_sub(1).map(|less| *left = less).is_none());
        state.lose_after = state.lose_after.filter(|_| !lost);
        state.passed.push((if lost { Passed::Lost } else { passed }, datagram.len()));
        !lost
    }

    /// So many more datagrams of data leave the dialer, and the next one gets lost.
    pub(crate) fn lose_data_after(&self, count: usize) {
        self.0.lock().expect("no panic").lose_after = Some(count);
    }

    /// Datagrams of data that came to the listener, and acknowledgements that left it.
    pub(crate) fn data_and_acknowledgements(&self) -> (usize, usize) {
        let state = self.0.lock().expect("no panic");
        (count(&state.passed, Passed::Arrived, is_data), count(&state.passed, Passed::Answered, is_acknowledgement))
    }

    /// The same for data that was sent after the loss, by a dialer that had not heard of it yet.
    pub(crate) fn in_the_gap(&self) -> (usize, usize) {
        let state = self.0.lock().expect("no panic");
        let all = &state.passed;
        let lost = all.iter().position(|(passed, _)| *passed == Passed::Lost).expect("one got lost");
        // Both ways keep the order: what was under way at the loss comes first, and what answered it too.
        let under_way = count(&all[..lost], Passed::Sent, any) - count(&all[..lost], Passed::Arrived, any);
        let gap = nth(all, lost, Passed::Arrived, under_way).unwrap_or(all.len());
        let unheard = count(&all[..gap], Passed::Answered, any) - count(&all[..gap], Passed::Returned, any);
        let heard = nth(all, gap, Passed::Returned, unheard).unwrap_or(all.len());
        let data = count(&all[lost..heard], Passed::Sent, is_data);
        // What answers these leaves before anything comes that is sent once the dialer has heard.
        let sent_later = count(&all[heard..], Passed::Sent, is_data);
        let mut arrived = 0;
        let end = all[gap..].iter().position(|(passed, bytes)| {
            arrived += usize::from(*passed == Passed::Arrived && is_data(*bytes));
            sent_later > 0 && arrived > data
        });
        let end = end.map_or(all.len(), |end| gap + end);
        (data, count(&all[gap..end], Passed::Answered, is_acknowledgement))
    }
}

fn any(_: usize) -> bool {
    true
}

/// Where this happens from `from` on, after it has happened `before` times.
fn nth(passed: &[(Passed, usize)], from: usize, what: Passed, before: usize) -> Option<usize> {
    let places = passed.iter().enumerate().skip(from).filter(|(_, (passed, _))| *passed == what);
    places.map(|(at, _)| at).nth(before)
}

fn is_data(bytes: usize) -> bool {
    bytes >= DATA_BYTES
}

fn is_acknowledgement(bytes: usize) -> bool {
    !is_data(bytes)
}

fn count(passed: &[(Passed, usize)], what: Passed, which: fn(usize) -> bool) -> usize {
    passed.iter().filter(|(passed, bytes)| *passed == what && which(*bytes)).count()
}
