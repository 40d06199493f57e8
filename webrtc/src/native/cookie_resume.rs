//! A DTLS server that continues from a cookie which it did not issue.
//!
//! The library, dimpl, issues cookies itself, under a random key of each server instance: an instance would have to be kept
//! for every stranger that sends a ClientHello. Here an instance is made only when a ClientHello returns a cookie issued by
//! [`super::client_hello`].
//!
//! That instance has missed the first ClientHello and its answer. They are not part of the handshake's transcript, so any
//! made-up ClientHello does in their place ([`FIRST`]). Then it gets the real one, and computes the cookie that it expects by
//! [`HmacProvider::hmac_sha256`], which it uses for nothing else. We answer that call with the cookie that was checked before.

use std::cell::Cell;

use dimpl::{
    CryptoError, Dtls, Error, Output,
    crypto::{CryptoProvider, HashAlgorithm, HmacProvider, aws_lc_rs::default_provider},
};

use super::client_hello::{COOKIE_BYTES, ClientHello};

/// A ClientHello without session, cookie or extension, with one cipher suite.
#[rustfmt::skip]
const FIRST: [u8; 67] = [
    22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 54,
    1, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 42,
    0xfe, 0xfd,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 2, 0xc0, 0x2b, 1, 0,
];
/// Bytes that hold the answer to it.
const ANSWER_BYTES: usize = 2048;

thread_local! {
    /// The checked cookie of the ClientHello that a server is reading on this thread.
    static CHECKED: Cell<Option<[u8; COOKIE_BYTES]>> = const { Cell::new(None) };
}

/// dimpl's own cryptography, except that a server accepts the cookie that was checked before.
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

/// Sets [`CHECKED`] until it is dropped.
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

/// The cookie that a server has continued from, once it has.
#[derive(Debug, Default)]
pub(super) struct CookieResume(Option<[u8; COOKIE_BYTES]>);

impl CookieResume {
    /// Hands a datagram to a server. Until one was a ClientHello with a cookie, which the endpoint has checked, others are
    /// ignored.
    pub(super) fn handle_packet(&mut self, server: &mut Dtls, packet: &[u8]) -> Result<(), Error> {
        let cookie = match self.0 {
            Some(cookie) => cookie,
            None => {
                let Some(cookie) = ClientHello::read(packet).and_then(|hello| hello.returned_cookie()) else {
                    return Ok(());
                };
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
