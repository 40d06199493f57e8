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
    lose: bool,
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
        let lost = passed == Passed::Sent && is_data(datagram.len()) && std::mem::take(&mut state.lose);
        state.passed.push((if lost { Passed::Lost } else { passed }, datagram.len()));
        !lost
    }

    /// The next datagram of data from the dialer gets lost.
    pub(crate) fn lose_next_data(&self) {
        self.0.lock().expect("no panic").lose = true;
    }

    /// Datagrams of data that came to the listener, and acknowledgements that left it.
    pub(crate) fn data_and_acknowledgements(&self) -> (usize, usize) {
        let state = self.0.lock().expect("no panic");
        (count(&state.passed, Passed::Arrived, is_data), count(&state.passed, Passed::Answered, is_acknowledgement))
    }

    /// The same for data that was sent after the loss, by a dialer that had not heard of it yet.
    pub(crate) fn in_the_gap(&self) -> (usize, usize) {
        let state = self.0.lock().expect("no panic");
        let lost = state.passed.iter().position(|(passed, _)| *passed == Passed::Lost).expect("one got lost");
        let after = &state.passed[lost..];
        let heard = after.iter().position(|one| one.0 == Passed::Returned).unwrap_or(after.len());
        let data = count(&after[..heard], Passed::Sent, is_data);
        // What answers these leaves before anything comes that is sent once the dialer has heard.
        let sent_later = count(&after[heard..], Passed::Sent, is_data);
        let mut arrived = 0;
        let end = after.iter().position(|(passed, bytes)| {
            arrived += usize::from(*passed == Passed::Arrived && is_data(*bytes));
            sent_later > 0 && arrived > data
        });
        (data, count(&after[..end.unwrap_or(after.len())], Passed::Answered, is_acknowledgement))
    }
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
