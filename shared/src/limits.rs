//! Bounds that an operator may change, with their units and defaults.

use std::time::Duration;

/// Bounds that an operator may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Established connections. Defaults to 4,096 on a hub, 256 elsewhere.
    pub connections: u32,
    /// Established connections of one peer. Defaults to 8.
    pub connections_per_peer: u32,
    /// Established connections that come from one address, of IPv6 from one /64. This machine, trusted proxies and relayed
    /// connections are not counted so. Defaults to 1,024 on a hub, 256 elsewhere.
    pub connections_per_source: u32,
    /// Connected peers from which on newcomers are told to go elsewhere, on a hub. Defaults to 4,000.
    pub peers: usize,
    /// Incoming connections that have not yet authenticated. Defaults to 1,024.
    pub pending_incoming: u32,
    /// Rooms a hub carries in all. Defaults to 512.
    pub carried_rooms: usize,
    /// Rooms a hub carries for one peer. Defaults to 32.
    pub carried_rooms_per_peer: usize,
    /// How long a hub still carries a room that nobody is in. Defaults to 20 s.
    pub carry_linger: Duration,
    /// Rooms this node may join. Defaults to 32.
    pub joined_rooms: usize,
    /// Lines that wait in one room. Defaults to 512.
    pub waiting_lines: usize,
    /// Frames kept for sync in one room. Defaults to 200.
    pub kept_frames: usize,
    /// Bytes of frames kept for sync in one room. Defaults to 256 KiB.
    pub kept_bytes: usize,
    /// Presences kept in one room. Defaults to 256.
    pub kept_presences: usize,
    /// Hubs to stay connected to. Defaults to 16.
    pub known_hubs: usize,
    /// Kademlia records held for others. Defaults to 4,096.
    pub records: usize,
    /// Keys held providers for. Defaults to 4,096.
    pub provided_keys: usize,
    /// Relay circuits in all. Defaults to 2,048.
    pub circuits: usize,
    /// Relay circuits of one peer. Defaults to 16.
    pub circuits_per_peer: usize,
    /// Relay reservations in all. Defaults to 4,096.
    pub reservations: usize,
    /// How long a circuit lasts. Defaults to 2 min.
    pub circuit_duration: Duration,
    /// Bytes a circuit carries. Defaults to 1 MiB.
    pub circuit_bytes: u64,
    /// Provable offences until a peer is refused for a while. Defaults to 8.
    pub offences: u32,
    /// How long an offender is refused. Defaults to 10 min.
    pub refuse_for: Duration,
    /// Peers to be connected to directly, over connections that were arranged; twice as many may connect to us. Defaults to 12.
    pub direct: usize,
    /// Console and API queries under way at once. Defaults to 256.
    pub queries: usize,
}

impl Limits {
    /// Of a peer that is no hub.
    #[must_use]
    pub fn peer() -> Self {
        Self {
            connections: 256,
            connections_per_peer: 8,
            connections_per_source: 256,
            peers: 4000,
            pending_incoming: 1024,
            carried_rooms: 512,
            carried_rooms_per_peer: 32,
            carry_linger: Duration::from_secs(20),
            joined_rooms: 32,
            waiting_lines: 512,
            kept_frames: 200,
            kept_bytes: 256 * 1024,
            kept_presences: 256,
            known_hubs: 16,
            records: 4096,
            provided_keys: 4096,
            circuits: 2048,
            circuits_per_peer: 16,
            reservations: 4096,
            circuit_duration: Duration::from_secs(120),
            circuit_bytes: 1024 * 1024,
            offences: 8,
            refuse_for: Duration::from_secs(600),
            direct: 12,
            queries: 256,
        }
    }

    /// Of a hub: as many people as a machine bears, a quarter of them behind one address.
    #[must_use]
    pub fn hub() -> Self {
        Self { connections: 4096, connections_per_source: 1024, ..Self::peer() }
    }

    /// Takes over what a running node can change. Returns the names of the others that differ.
    pub(crate) fn reload(&mut self, new: Self) -> Vec<&'static str> {
        // Whoever adds a limit decides here which of the two it is.
        let Self {
            connections,
            connections_per_peer,
            connections_per_source,
            peers,
            pending_incoming,
            carried_rooms,
            carried_rooms_per_peer,
            carry_linger,
            joined_rooms,
            offences,
            refuse_for,
            waiting_lines,
            kept_frames,
            kept_bytes,
            kept_presences,
            known_hubs,
            records,
            provided_keys,
            circuits,
            circuits_per_peer,
            reservations,
            circuit_duration,
            circuit_bytes,
            direct,
            queries,
        } = new;
        let fixed = [
            ("waiting_lines", self.waiting_lines == waiting_lines),
            ("kept_frames", self.kept_frames == kept_frames),
            ("kept_bytes", self.kept_bytes == kept_bytes),
            ("kept_presences", self.kept_presences == kept_presences),
            ("known_hubs", self.known_hubs == known_hubs),
            ("records", self.records == records),
            ("provided_keys", self.provided_keys == provided_keys),
            ("circuits", self.circuits == circuits),
            ("circuits_per_peer", self.circuits_per_peer == circuits_per_peer),
            ("reservations", self.reservations == reservations),
            ("circuit_duration_secs", self.circuit_duration == circuit_duration),
            ("circuit_bytes", self.circuit_bytes == circuit_bytes),
            ("direct", self.direct == direct),
            ("queries", self.queries == queries),
        ];
        let differing = fixed.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect();
        *self = Self {
            connections,
            connections_per_peer,
            connections_per_source,
            peers,
            pending_incoming,
            carried_rooms,
            carried_rooms_per_peer,
            carry_linger,
            joined_rooms,
            offences,
            refuse_for,
            ..self.clone()
        };
        differing
    }
}
