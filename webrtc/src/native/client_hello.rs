//! The stateless cookie exchange of DTLS (RFC 6347, section 4.2.1).
//!
//! Anybody can send a ClientHello from a forged address. So the first one is answered with a HelloVerifyRequest that carries
//! a cookie, and no state is kept. Only a dialer that receives at the address can send the second ClientHello with the cookie;
//! then a connection is made. The cookie is a MAC of the address and of the ClientHello under a key of this process, so it is
//! checked without having been stored. [`super::cookie_resume`] has the DTLS library continue from there.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use aws_lc_rs::hmac;

/// Bytes of a cookie.
pub(super) const COOKIE_BYTES: usize = 32;
/// A cookie is valid for this time at least, and for twice this time at most.
pub const COOKIE_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of the key.
const KEY_BYTES: usize = 32;

// RFC 6347, sections 4.1 and 4.2.
const HANDSHAKE_RECORD: u8 = 22;
const RECORD_HEADER: usize = 13;
const MESSAGE_HEADER: usize = 12;
const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY_REQUEST: u8 = 3;
const DTLS_1_0: [u8; 2] = [0xfe, 0xff];
const DTLS_1_2: [u8; 2] = [0xfe, 0xfd];
/// Of a record, in every version of DTLS.
const MAJOR: u8 = 0xfe;
const MAX_SESSION_ID: usize = 32;

/// What the exchange needs of a ClientHello. It is all at the beginning, so the first fragment suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientHello<'a> {
    /// The message sequence number: 0 for the first, 1 for the answer to a HelloVerifyRequest.
    number: u16,
    random: &'a [u8],
    pub(super) cookie: &'a [u8],
}

/// Splits off the first bytes.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// Splits off a vector whose first byte is its length.
fn take_vector<'a>(bytes: &mut &'a [u8], most: usize) -> Option<&'a [u8]> {
    let length = usize::from(*take(bytes, 1)?.first()?);
    take(bytes, length).filter(|_| length <= most)
}

impl<'a> ClientHello<'a> {
    /// Reads a datagram that begins with a plaintext ClientHello of DTLS 1.2 or later, or with its first fragment.
    pub(super) fn read(mut datagram: &'a [u8]) -> Option<Self> {
        let &[kind, major, _, epoch_high, epoch_low, .., length_high, length_low] =
            take(&mut datagram, RECORD_HEADER)?.first_chunk::<RECORD_HEADER>()?;
        if kind != HANDSHAKE_RECORD || major != MAJOR || [epoch_high, epoch_low] != [0, 0] {
            return None;
        }
        let mut record = take(&mut datagram, u16::from_be_bytes([length_high, length_low]).into())?;
        let &[kind, _, _, _, number_high, number_low, at_high, at_middle, at_low, high, middle, low] =
            take(&mut record, MESSAGE_HEADER)?.first_chunk::<MESSAGE_HEADER>()?;
        if kind != CLIENT_HELLO || [at_high, at_middle, at_low] != [0; 3] {
            return None;
        }
        let mut body = take(&mut record, usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()?)?;
        if take(&mut body, DTLS_1_2.len())? != DTLS_1_2 {
            return None;
        }
        let random = take(&mut body, 32)?;
        take_vector(&mut body, MAX_SESSION_ID)?;
        let cookie = take_vector(&mut body, u8::MAX.into())?;
        Some(Self { number: u16::from_be_bytes([number_high, number_low]), random, cookie })
    }

    /// Whether it is the client's first, which has no cookie yet.
    pub(super) fn is_first(&self) -> bool {
        self.number == 0
    }

    /// The cookie of a second ClientHello, if it is as long as ours are.
    pub(super) fn returned_cookie(&self) -> Option<[u8; COOKIE_BYTES]> {
        self.cookie.try_into().ok().filter(|_| self.number == 1)
    }
}

/// Issues cookies and checks them.
pub(super) struct Cookies {
    key: hmac::Key,
    /// Periods of [`COOKIE_TIMEOUT`] are counted from here.
    began: Instant,
}

impl Cookies {
    pub(super) fn new(now: Instant) -> Self {
        let key: [u8; KEY_BYTES] = rand::random();
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), began: now }
    }

    /// The HelloVerifyRequest that answers a ClientHello. It is shorter than any ClientHello.
    pub(super) fn hello_verify_request(&self, hello: &ClientHello<'_>, from: SocketAddr, now: Instant) -> Vec<u8> {
        let cookie = hmac::sign(&self.key, &authenticated_data(hello, from, self.period(now)));
        let body = [&DTLS_1_0[..], &[COOKIE_BYTES as u8], cookie.as_ref()].concat();
        let [_, _, length @ ..] = (body.len() as u32).to_be_bytes();
        let [high, low] = length;
        let message = [&[HELLO_VERIFY_REQUEST, 0, high, low, 0, 0, 0, 0, 0, 0, high, low], &body[..]].concat();
        // Its record always has number 0. The connection that begins later continues with 1, however often the client had to
        // repeat its ClientHello: a client accepts no record number twice.
        let length = (message.len() as u16).to_be_bytes();
        [&[HANDSHAKE_RECORD], &DTLS_1_2[..], &[0; 8], &length, &message].concat()
    }

    /// Whether a ClientHello returns a cookie issued for it and for its source.
    pub(super) fn is_valid(&self, hello: &ClientHello<'_>, from: SocketAddr, now: Instant) -> bool {
        let period = self.period(now);
        let is_of = |period| hmac::verify(&self.key, &authenticated_data(hello, from, period), hello.cookie).is_ok();
        hello.returned_cookie().is_some() && (is_of(period) || period.checked_sub(1).is_some_and(is_of))
    }

    fn period(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / COOKIE_TIMEOUT.as_secs()
    }
}

/// What a cookie authenticates.
fn authenticated_data(hello: &ClientHello<'_>, from: SocketAddr, period: u64) -> Vec<u8> {
    let ip = match from.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    [&period.to_be_bytes()[..], &ip.octets(), &from.port().to_be_bytes(), hello.random].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A hello without cipher suites and what follows them, of which nothing is read here.
    fn hello(number: u8, random: u8, session: &[u8], cookie: &[u8]) -> Vec<u8> {
        let vectors = [&[session.len() as u8], session, &[cookie.len() as u8], cookie].concat();
        let body = [&DTLS_1_2[..], &[random; 32], &vectors].concat();
        let length = body.len() as u8;
        // The whole of it would be a thousand bytes longer: this is a fragment.
        let header = [CLIENT_HELLO, 0, 4, length, 0, number, 0, 0, 0, 0, 0, length];
        let record = [&[HANDSHAKE_RECORD, MAJOR, 0xfd], &[0; 9][..], &[length + MESSAGE_HEADER as u8]].concat();
        [record, header.to_vec(), body].concat()
    }

    fn from(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    /// What somebody gets and would have to return.
    fn cookie(cookies: &Cookies, first: &[u8], source: SocketAddr, now: Instant) -> Vec<u8> {
        let first_hello = ClientHello::read(first).expect("a hello");
        assert!(first_hello.is_first());
        let hello_verify_request = cookies.hello_verify_request(&first_hello, source, now);
        assert!(hello_verify_request.len() <= first.len(), "{} bytes for {}", hello_verify_request.len(), first.len());
        hello_verify_request[hello_verify_request.len() - COOKIE_BYTES..].to_vec()
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a beginning is needed, any")]
    fn a_cookie_is_good_for_one_address_one_hello_and_a_while() {
        let (now, home) = (Instant::now(), from("192.0.2.1:4748"));
        let cookies = Cookies::new(now);
        let given = cookie(&cookies, &hello(0, 7, &[], &[]), home, now);
        let holds = |number, random, source, later| {
            let second = hello(number, random, &[], &given);
            cookies.is_valid(&ClientHello::read(&second).expect("a hello"), source, now + later)
        };
        assert!(holds(1, 7, home, Duration::ZERO));
        assert!(holds(1, 7, home, COOKIE_TIMEOUT));
        assert!(!holds(1, 7, home, 2 * COOKIE_TIMEOUT), "an old one");
        assert!(!holds(0, 7, home, Duration::ZERO), "before it was asked for");
        assert!(!holds(1, 8, home, Duration::ZERO), "with another hello");
        for other in ["192.0.2.2:4748", "192.0.2.1:4749", "[2001:db8::1]:4748"] {
            assert!(!holds(1, 7, from(other), Duration::ZERO), "from {other}");
        }
        let second = hello(1, 7, &[], &given);
        assert!(
            !Cookies::new(now).is_valid(&ClientHello::read(&second).expect("a hello"), home, now),
            "of another process"
        );
        for wrong in [&given[1..], &[&given[..], &[0]].concat(), &[], &[0; COOKIE_BYTES]] {
            let second = hello(1, 7, &[], wrong);
            assert!(!cookies.is_valid(&ClientHello::read(&second).expect("a hello"), home, now), "{wrong:x?}");
        }
    }

    #[test]
    fn what_is_no_beginning_of_a_hello_is_not_read() {
        let whole = hello(0, 7, &[1; MAX_SESSION_ID], &[2; 255 - 120]);
        assert!(ClientHello::read(&whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(ClientHello::read(&whole[..length]), None, "cut to {length}");
        }
        // Another record, version, epoch; another message, a later fragment, another version inside.
        for at in [0, 1, 3, 4, 13, 19, 20, 21, 25, 26] {
            let mut altered = whole.clone();
            altered[at] ^= 0x40;
            assert_eq!(ClientHello::read(&altered), None, "byte {at}");
        }
        assert_eq!(ClientHello::read(&hello(0, 7, &[1; MAX_SESSION_ID + 1], &[])), None, "a session of no server");
    }

    proptest! {
        #[test]
        fn bytes_of_strangers_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut like = bytes.clone();
            for (byte, real) in like.iter_mut().zip(hello(1, 7, &[], &[3; COOKIE_BYTES])).take(26) {
                *byte = real;
            }
            for bytes in [bytes, like] {
                if let Some(hello) = ClientHello::read(&bytes) {
                    prop_assert!(hello.random.len() == 32 && hello.cookie.len() <= bytes.len());
                }
            }
        }
    }
}
