//! Tells whoever asks by which address and port it is seen: STUN binding requests without credentials (RFC 8489).
//!
//! An answer is longer than its request: 20 bytes get 32, on IPv6 44. Sources may be forged, so answers are rationed by
//! address, and no source takes another one's ration: each has a bucket chosen by a secret hash, and who forges many sources
//! fills many buckets a little.

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Buckets that addresses, of IPv6 /64 networks, share.
const BUCKETS: usize = 4096;
/// Answers that a bucket gives at once: a page asks a few times for each connection, and a school may share one address.
const ANSWERS_AT_ONCE: u32 = 1024;
/// Time until it may give one more.
const ANSWER_EVERY: Duration = Duration::from_millis(4);

const HEADER: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
const USERNAME: [u8; 2] = [0x00, 0x06];

/// See the [module](self).
pub(super) struct StunServer {
    hasher: RandomState,
    /// Until when each bucket is used up, counted by `ANSWER_EVERY` for each answer.
    buckets: Mutex<Vec<Option<Instant>>>,
}

impl StunServer {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), buckets: Mutex::new(vec![None; BUCKETS]) }
    }

    /// The answer to a request; none if it is another datagram, or its address has had its share. `Some(None)`: it is a request
    /// that is not answered.
    pub(super) fn answer(&self, bytes: &[u8], from: SocketAddr, now: Instant) -> Option<Option<Vec<u8>>> {
        let transaction = transaction(bytes)?;
        Some(self.admit(from.ip(), now).then(|| success(transaction, from)))
    }

    fn admit(&self, from: IpAddr, now: Instant) -> bool {
        let bucket = self.hasher.hash_one(network(from)) as usize % BUCKETS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let used = buckets[bucket].map_or(now, |used| used.max(now));
        let is_left = used.duration_since(now) < ANSWER_EVERY * ANSWERS_AT_ONCE;
        if is_left {
            buckets[bucket] = Some(used + ANSWER_EVERY);
        }
        is_left
    }
}

/// An IPv4 address, or the /64 network of an IPv6 one.
fn network(ip: IpAddr) -> u64 {
    match ip.to_canonical() {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => (u128::from(ip) >> 64) as u64,
    }
}

/// The transaction of a binding request that names no user: those with one are for connections.
fn transaction(bytes: &[u8]) -> Option<[u8; 12]> {
    let (header, mut attributes) = bytes.split_at_checked(HEADER)?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[..2] != BINDING_REQUEST || header[4..8] != MAGIC || length != attributes.len() {
        return None;
    }
    while let Some((head, rest)) = attributes.split_at_checked(4) {
        if head[..2] == USERNAME {
            return None;
        }
        let padded = usize::from(u16::from_be_bytes([head[2], head[3]])).next_multiple_of(4);
        attributes = rest.get(padded..)?;
    }
    header[8..].try_into().ok()
}

/// The answer: where the request came from, combined with what no address translator rewrites.
fn success(transaction: [u8; 12], from: SocketAddr) -> Vec<u8> {
    let key = [&MAGIC[..], &transaction].concat();
    let (family, ip) = match from.ip().to_canonical() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let masked = |bytes: &[u8]| -> Vec<u8> { bytes.iter().zip(&key).map(|(byte, key)| byte ^ key).collect() };
    let value = [&[0, family][..], &masked(&from.port().to_be_bytes()), &masked(&ip)].concat();
    let length = |bytes: usize| [0, bytes as u8];
    [&BINDING_SUCCESS[..], &length(4 + value.len()), &key, &XOR_MAPPED_ADDRESS, &length(value.len()), &value].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::clock::now;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&BINDING_REQUEST[..], &length, &MAGIC, b"transaction!", attributes].concat()
    }

    #[test]
    fn twenty_bytes_get_the_address_they_came_from() {
        let server = StunServer::new();
        for (from, bytes) in [("192.0.2.7:4321", 32), ("[2001:db8::7]:4321", 44)] {
            let from: SocketAddr = from.parse().unwrap();
            let answer = server.answer(&request(&[]), from, now()).flatten().unwrap();
            assert_eq!(answer.len(), bytes);
            assert_eq!((&answer[..2], &answer[8..20]), (&BINDING_SUCCESS[..], &b"transaction!"[..]));
            let unmask = |at: usize, length: usize| -> Vec<u8> {
                answer[at..at + length].iter().zip(&answer[4..20]).map(|(byte, key)| byte ^ key).collect()
            };
            let ip: IpAddr = match from.ip() {
                IpAddr::V4(_) => <[u8; 4]>::try_from(unmask(28, 4)).unwrap().into(),
                IpAddr::V6(_) => <[u8; 16]>::try_from(unmask(28, 16)).unwrap().into(),
            };
            let port = u16::from_be_bytes(unmask(26, 2).try_into().unwrap());
            assert_eq!(SocketAddr::new(ip, port), from);
        }
        // SOFTWARE says who asks, which is of no interest.
        let software = [&[0x80, 0x22, 0, 3][..], b"abc\0"].concat();
        assert!(server.answer(&request(&software), "192.0.2.7:1".parse().unwrap(), now()).is_some());
    }

    #[test]
    fn what_is_for_a_connection_or_is_no_request_is_left_alone() {
        let from = "192.0.2.7:4321".parse().unwrap();
        let named = request(&[&USERNAME[..], &[0, 4], b"a:bc"].concat());
        let (mut longer, mut answer, cut) = (request(&[]), request(&[]), request(&[0x80, 0x22, 0, 9]));
        longer.push(0);
        answer[..2].copy_from_slice(&BINDING_SUCCESS);
        for bytes in [named, longer, answer, cut, vec![0; 19], vec![22; 40]] {
            assert_eq!(StunServer::new().answer(&bytes, from, now()), None, "{bytes:x?}");
        }
    }

    #[test]
    fn one_network_has_its_share_and_no_more_and_takes_nobodys() {
        let (server, now) = (StunServer::new(), now());
        let answers = |ip: IpAddr, now, tries: u32| (0..tries).filter(|_| server.admit(ip, now)).count() as u32;
        let (one, same) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        assert_eq!(answers(one, now, 2 * ANSWERS_AT_ONCE), ANSWERS_AT_ONCE);
        assert_eq!(answers(same, now, 10), 0);
        assert_eq!(answers(same, now + ANSWER_EVERY * 10, 100), 10);
        // A flood from forged sources, ten for each bucket and second.
        let honest = "198.51.100.1".parse().unwrap();
        let forged = |n: u32| IpAddr::from(n.wrapping_mul(2_654_435_761).to_be_bytes());
        let served = (0..40_960).filter(|n| server.admit(forged(*n), now)).count();
        assert!(served > 40_000 && answers(honest, now, 100) == 100, "{served}");
    }
}
