//! What happened so far and how full the node is, by name: what an operator watches.

use serde::Serialize;

macro_rules! counters {
    ($($name:ident: $what:literal,)*) => {
        /// Counted since the start, or as it stands now where the name is a plural thing.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        pub struct Counters {
            $(#[doc = $what] pub $name: u64,)*
        }

        impl Counters {
            /// Each name with what it counts.
            pub const NAMES: &[(&str, &str)] = &[$((stringify!($name), $what),)*];

            /// Each name with its value, in the order of [`Self::NAMES`].
            #[must_use]
            pub fn values(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

counters! {
    peers: "Connected peers.",
    rooms: "Rooms joined or carried.",
    watchers: "Peers that are told who is where.",
    records: "Kademlia records held.",
    queries: "Kademlia queries under way for callers.",
    connections_refused: "Connections turned away by a limit.",
    addresses_refused: "Connections turned away by a denied range.",
    peers_refused: "Peers told that they may not stay.",
    offences: "What only a liar or a broken peer does.",
    payloads_accepted: "Room payloads that were new and in order.",
    payloads_ignored: "Room payloads that were known, too old or unreadable.",
    payloads_rejected: "Room payloads that do not verify.",
    payloads_over_budget: "New room payloads above what a peer or an address may hand over; ignored ones count them too.",
    foreign_forwarded: "Payloads of other programs passed on unread; accepted ones count them too.",
    foreign_dropped: "Payloads of other programs above what is passed on.",
    lines_brought: "Lines brought in by the bridge.",
    lines_dropped: "Lines of another network above what the bridge brings in.",
    rooms_refused: "Rooms a hub does not carry or tell about.",
    records_refused: "Records and providers of others that were not kept.",
    records_displaced: "Records and providers of others that lost their place to others.",
    queries_refused: "Queries of callers above the limit.",
    reservations_refused: "Relay reservations denied.",
    circuits_refused: "Relay circuits denied.",
    slow_peers: "Peers that gossip could not keep up with.",
    watchers_dropped: "Peers too slow to be told who is where.",
    syncs_refused: "Syncs not answered, above what a peer or an address may ask.",
    syncs_failed: "Syncs given up after all tries.",
}
