//! A DTLS server that goes on from a cookie which it did not make.
//!
//! The library, dimpl, makes cookies itself, under a key that each of its servers draws; so one of them would have to be
//! kept for every stranger who says hello. Here the server is made only when a hello has come back with a cookie of
//! [`super::hello`]. It has missed the first hello and what answered it, which belong to no transcript, so another hello
//! does in their place. Then it gets the real one, whose cookie it finds right: it asks its cryptography what the cookie
//! should be, by [`HmacProvider::hmac_sha256`] and nothing else by that, and is told what has been checked already.

use std::cell::Cell;

use dimpl::{
    CryptoError, Dtls, Error, Output,
    crypto::{CryptoProvider, HashAlgorithm, HmacProvider, aws_lc_rs::default_provider},
};

use super::hello::{COOKIE_BYTES, Hello};

/// Any hello whatsoever of a client: without a session, a cookie or an extension, with one cipher suite.
#[rustfmt::skip]
const FIRST: [u8; 67] = [
    22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 54,
    1, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 42,
    0xfe, 0xfd,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 2, 0xc0, 0x2b, 1, 0,
];
/// Bytes of a datagram that it is answered with; it is shorter.
const ANSWER_BYTES: usize = 2048;

thread_local! {
    /// The cookie of the hello that a server reads on this thread.
    static CHECKED: Cell<Option<[u8; COOKIE_BYTES]>> = const { Cell::new(None) };
}

/// dimpl's own cryptography, except that a server takes the cookie that was checked before.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider { hmac_provider: &Checked, ..default_provider() }
}

#[derive(Debug)]
struct Checked;

impl HmacProvider for Checked {
    fn hmac_sha256(&self, key: &[u8], data: &[u8]) -> Result<[u8; 32], CryptoError> {
        CHECKED.get().map_or_else(|| default_provider().hmac_provider.hmac_sha256(key, data), Ok)
    }

    fn hmac(&self, hash: HashAlgorithm, key: &[u8], data: &[u8], out: &mut [u8]) -> Result<usize, CryptoError> {
        default_provider().hmac_provider.hmac(hash, key, data, out)
    }
}

/// Sets [`CHECKED`] as long as it is there.
struct Checking;

impl Checking {
    fn new(cookie: [u8; COOKIE_BYTES]) -> Self {
        CHECKED.set(Some(cookie));
        Self
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        CHECKED.set(None);
    }
}

/// The cookie of the hello that a server began with.
#[derive(Debug, Default)]
pub(super) struct Returned(Option<[u8; COOKIE_BYTES]>);

impl Returned {
    /// Hands a datagram to a server, whose first one has to have a cookie that was checked.
    pub(super) fn handle_packet(&mut self, server: &mut Dtls, packet: &[u8]) -> Result<(), Error> {
        let cookie = match self.0 {
            Some(cookie) => cookie,
            None => {
                let Some(cookie) = Hello::read(packet).and_then(|hello| hello.returned()) else { return Ok(()) };
                server.handle_packet(&FIRST)?;
                let mut answer = [0; ANSWER_BYTES];
                while let Output::Packet(_) = server.poll_output(&mut answer) {}
                *self.0.insert(cookie)
            }
        };
        let _checking = Checking::new(cookie);
        server.handle_packet(packet)
    }
}
