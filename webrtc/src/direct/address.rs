//! `/webrtc-direct` addresses, and the certificate fingerprints in them.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use libp2p::{
    Multiaddr, PeerId,
    multiaddr::{Protocol, multihash::Multihash},
};

/// The multihash code of sha-256.
const SHA_256: u64 = 0x12;

/// The sha-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// From a digest.
    #[must_use]
    pub fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    /// As an address has it.
    #[must_use]
    pub fn multihash(&self) -> Multihash<64> {
        Multihash::wrap(SHA_256, &self.0).unwrap_or_default()
    }

    /// From an address; none for another hash function.
    #[must_use]
    pub fn from_multihash(hash: &Multihash<64>) -> Option<Self> {
        (hash.code() == SHA_256).then(|| hash.digest().try_into().ok().map(Self)).flatten()
    }

    /// From the line `a=fingerprint:sha-256 …` of a session description, in any case.
    #[must_use]
    pub fn from_sdp(sdp: &str) -> Option<Self> {
        let values = sdp.lines().filter_map(|line| line.trim().strip_prefix("a=fingerprint:"));
        values.filter_map(|value| value.split_once(' ')).find_map(|(hash, digits)| {
            let octets: Result<Vec<u8>, _> =
                digits.trim().split(':').map(|octet| u8::from_str_radix(octet, 16)).collect();
            hash.eq_ignore_ascii_case("sha-256").then_some(())?;
            octets.ok()?.try_into().ok().map(Self)
        })
    }
}

/// As a session description has it: upper-case hexadecimal bytes with colons between.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, octet)| write!(f, "{}{octet:02X}", if at > 0 { ":" } else { "" }))
    }
}

/// A listener to be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its IP address.
    pub ip: IpAddr,
    /// Its UDP port, never 0.
    pub port: u16,
    /// The fingerprint of its certificate.
    pub certificate: Fingerprint,
    /// Its peer id, if the address names one.
    pub peer: Option<PeerId>,
}

/// Why an address cannot be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is of another transport, or has a circuit in it.
    #[error("not a /webrtc-direct address")]
    Other,
    /// No port is named.
    #[error("port 0 cannot be dialled")]
    Port,
    /// Without a fingerprint the listener cannot be recognised.
    #[error("a /webrtc-direct address needs the /certhash of its listener")]
    NoCerthash,
    /// Its fingerprint is of an unknown hash function.
    #[error("a /certhash of another hash than sha-256")]
    UnknownHash,
}

impl Target {
    /// Parses `/ip4|ip6/…/udp/PORT/webrtc-direct/certhash/H…[/p2p/ID]`. Of several hashes the first sha-256 counts.
    ///
    /// # Errors
    /// [`AddressError`]; [`AddressError::Other`] also when anything follows the peer id, as in a circuit's address.
    pub fn read(address: &Multiaddr) -> Result<Self, AddressError> {
        let mut parts = address.iter().peekable();
        let (ip, port) = endpoint(&mut parts)?;
        let mut hashes = Vec::new();
        while let Some(Protocol::Certhash(hash)) = parts.next_if(|part| matches!(part, Protocol::Certhash(_))) {
            hashes.push(hash);
        }
        let peer = match (parts.next(), parts.next()) {
            (None, _) => None,
            (Some(Protocol::P2p(peer)), None) => Some(peer),
            _ => return Err(AddressError::Other),
        };
        if hashes.is_empty() {
            return Err(AddressError::NoCerthash);
        }
        let certificate = hashes.iter().find_map(Fingerprint::from_multihash).ok_or(AddressError::UnknownHash)?;
        if port == 0 {
            return Err(AddressError::Port);
        }
        Ok(Self { ip, port, certificate, peer })
    }

    /// The URL at which a browser's ICE agent asks this listener for its own address: STUN is answered on the same port.
    #[must_use]
    pub fn stun_url(&self) -> String {
        format!("stun:{}", SocketAddr::new(self.ip, self.port))
    }

    /// The address, without the peer id.
    #[must_use]
    pub fn address(&self) -> Multiaddr {
        listen_address(self.ip, self.port).with(Protocol::Certhash(self.certificate.multihash()))
    }
}

/// Parses `/ip4|ip6/…/udp/PORT/webrtc-direct`, an address to listen on.
///
/// # Errors
/// [`AddressError::Other`].
pub fn parse_listen_address(address: &Multiaddr) -> Result<(IpAddr, u16), AddressError> {
    let mut parts = address.iter();
    let endpoint = endpoint(&mut parts)?;
    parts.next().map_or(Ok(endpoint), |_| Err(AddressError::Other))
}

/// The address of a listener, without its fingerprint.
#[must_use]
pub fn listen_address(ip: IpAddr, port: u16) -> Multiaddr {
    Multiaddr::from(ip).with(Protocol::Udp(port)).with(Protocol::WebRTCDirect)
}

fn endpoint<'a>(parts: &mut impl Iterator<Item = Protocol<'a>>) -> Result<(IpAddr, u16), AddressError> {
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        Some(Protocol::Ip6(ip)) => ip.into(),
        _ => return Err(AddressError::Other),
    };
    match (parts.next(), parts.next()) {
        (Some(Protocol::Udp(port)), Some(Protocol::WebRTCDirect)) => Ok((ip, port)),
        _ => Err(AddressError::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7";
    const HASH: &str = "uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g";

    fn read(text: &str) -> Result<Target, AddressError> {
        Target::read(&text.parse().unwrap())
    }

    #[test]
    fn a_listeners_address_is_read_and_written() {
        let direct = format!("/ip6/::1/udp/4748/webrtc-direct/certhash/{HASH}");
        let target = read(&format!("{direct}/p2p/{ID}")).unwrap();
        assert_eq!((target.ip.to_string().as_str(), target.port), ("::1", 4748));
        assert_eq!(target.peer.unwrap().to_string(), ID);
        assert_eq!(target.address().to_string(), direct);
        assert_eq!(read(&direct).unwrap().peer, None);
    }

    #[test]
    fn what_is_not_ours_to_dial_is_said() {
        let direct = format!("/ip4/192.0.2.1/udp/4748/webrtc-direct/certhash/{HASH}");
        assert_eq!(read(&format!("{direct}/p2p/{ID}/p2p-circuit/p2p/{ID}")), Err(AddressError::Other));
        assert_eq!(read(&format!("{direct}/p2p-circuit")), Err(AddressError::Other));
        assert_eq!(read("/ip4/192.0.2.1/udp/4748/quic-v1"), Err(AddressError::Other));
        assert_eq!(read(&format!("/dns4/example.org/udp/1/webrtc-direct/certhash/{HASH}")), Err(AddressError::Other));
        assert_eq!(read("/ip4/192.0.2.1/udp/4748/webrtc-direct"), Err(AddressError::NoCerthash));
        assert_eq!(read(&direct.replace("4748", "0")), Err(AddressError::Port));
        let other: Multiaddr = "/ip4/192.0.2.1/udp/1/webrtc-direct".parse().unwrap();
        let other = other.with(Protocol::Certhash(Multihash::wrap(0x13, &[7; 64]).unwrap()));
        assert_eq!(Target::read(&other), Err(AddressError::UnknownHash));
    }

    #[test]
    fn where_to_listen_is_read() {
        let read = |text: &str| parse_listen_address(&text.parse().unwrap());
        assert_eq!(read("/ip4/0.0.0.0/udp/0/webrtc-direct"), Ok(("0.0.0.0".parse().unwrap(), 0)));
        assert_eq!(read(&format!("/ip4/0.0.0.0/udp/0/webrtc-direct/p2p/{ID}")), Err(AddressError::Other));
    }

    #[test]
    fn a_fingerprint_is_found_in_any_description() {
        let fingerprint = Fingerprint::new(std::array::from_fn(|at| at as u8 * 8));
        let sdp = format!("v=0\r\na=fingerprint:sha-1 00:11\r\na=fingerprint:SHA-256 {fingerprint}\r\n").to_lowercase();
        assert_eq!(Fingerprint::from_sdp(&sdp), Some(fingerprint));
        assert_eq!(Fingerprint::from_sdp("a=fingerprint:sha-256 00:11"), None);
        assert_eq!(Fingerprint::from_multihash(&fingerprint.multihash()), Some(fingerprint));
    }
}
