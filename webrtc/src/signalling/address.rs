//! `/webrtc` addresses.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

/// A peer to be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Who.
    pub peer: PeerId,
    /// Where it is reached to arrange the connection; without it, over a connection that stands.
    pub circuit: Option<Multiaddr>,
}

/// Why an address cannot be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is of another transport.
    #[error("not a /webrtc address")]
    Other,
    /// It does not name the peer.
    #[error("a /webrtc address needs the peer's /p2p/ID at its end")]
    NoPeer,
}

impl Target {
    /// Parses `RELAY/p2p/ID/p2p-circuit/webrtc/p2p/ID`, as the spec has it, and `/webrtc/p2p/ID`.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn read(address: &Multiaddr) -> Result<Self, AddressError> {
        let (before, after) = split(address).ok_or(AddressError::Other)?;
        let peer = match after.as_slice() {
            [Protocol::P2p(peer)] => *peer,
            [] => return Err(AddressError::NoPeer),
            _ => return Err(AddressError::Other),
        };
        let is_circuit = matches!(before.as_slice(), [.., Protocol::P2p(_), Protocol::P2pCircuit]);
        if !before.is_empty() && !is_circuit {
            return Err(AddressError::Other);
        }
        let circuit = is_circuit.then(|| before.into_iter().collect::<Multiaddr>().with(Protocol::P2p(peer)));
        Ok(Self { peer, circuit })
    }
}

/// Whether an address is of this transport: `/webrtc` ends it, or its peer id follows.
#[must_use]
pub fn is_webrtc(address: &Multiaddr) -> bool {
    split(address).is_some()
}

/// Where others reach us by a relay that reserves for us at `circuit` (`RELAY/p2p/ID/p2p-circuit[/p2p/US]`); nothing if that is no circuit.
#[must_use]
pub fn over(circuit: &Multiaddr, us: PeerId) -> Option<Multiaddr> {
    let mut parts: Vec<Protocol<'_>> = circuit.iter().collect();
    if parts.last() == Some(&Protocol::P2p(us)) {
        parts.pop();
    }
    let is_circuit = matches!(parts.as_slice(), [.., Protocol::P2p(_), Protocol::P2pCircuit]);
    is_circuit.then(|| parts.into_iter().chain([Protocol::WebRTC, Protocol::P2p(us)]).collect())
}

/// What stands before `/webrtc`, and behind it.
fn split(address: &Multiaddr) -> Option<(Vec<Protocol<'_>>, Vec<Protocol<'_>>)> {
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let at = parts.iter().position(|part| matches!(part, Protocol::WebRTC))?;
    Some((parts[..at].to_vec(), parts[at + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_spec_and_bare_ones_are_read_and_no_others() {
        let (relay, peer) = (PeerId::random(), PeerId::random());
        let read = |text: String| Target::read(&text.parse().unwrap());
        let hub = format!("/ip4/192.0.2.1/tcp/4747/ws/p2p/{relay}");
        let circuit = Some(format!("{hub}/p2p-circuit/p2p/{peer}").parse().unwrap());
        assert_eq!(read(format!("{hub}/p2p-circuit/webrtc/p2p/{peer}")), Ok(Target { peer, circuit }));
        assert_eq!(read(format!("/webrtc/p2p/{peer}")), Ok(Target { peer, circuit: None }));
        assert_eq!(read("/webrtc".into()), Err(AddressError::NoPeer));
        for other in [
            format!("{hub}/p2p-circuit/p2p/{peer}"),
            format!("{hub}/webrtc/p2p/{peer}"),
            format!("/p2p-circuit/webrtc/p2p/{peer}"),
            format!("/webrtc/p2p/{peer}/p2p-circuit"),
            "/ip4/192.0.2.1/udp/4748/webrtc-direct".into(),
        ] {
            assert_eq!(read(other.clone()), Err(AddressError::Other), "{other}");
        }
    }

    #[test]
    fn a_reservation_becomes_an_address() {
        let (relay, us) = (PeerId::random(), PeerId::random());
        let hub = format!("/ip4/192.0.2.1/tcp/4747/ws/p2p/{relay}");
        let expected = Some(format!("{hub}/p2p-circuit/webrtc/p2p/{us}").parse().unwrap());
        for circuit in [format!("{hub}/p2p-circuit"), format!("{hub}/p2p-circuit/p2p/{us}")] {
            assert_eq!(over(&circuit.parse().unwrap(), us), expected);
        }
        assert_eq!(over(&hub.parse().unwrap(), us), None);
    }
}
