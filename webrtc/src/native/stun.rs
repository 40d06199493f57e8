//! STUN binding requests, answered without keeping state: a request carries everything that its answer needs.

use std::net::SocketAddr;

use str0m::{
    crypto::{CryptoProvider, from_feature_flags},
    ice::StunMessage,
};

use crate::direct::credentials::IceCredentials;

/// Bytes of a request; longer ones are ignored.
const MAX_REQUEST: usize = 1024;

// RFC 8489 and RFC 8445.
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;
const INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const ICE_CONTROLLING: u16 = 0x802a;
const INTEGRITY_BYTES: usize = 20;

/// Whether a datagram is STUN (RFC 7983).
pub(super) fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= 20 && bytes[0] < 2
}

/// Whether a datagram is a successful answer to a binding request.
pub(super) fn is_success(bytes: &[u8]) -> bool {
    is_stun(bytes) && bytes.starts_with(&BINDING_SUCCESS.to_be_bytes())
}

/// Whether a datagram is a DTLS alert, which ends a connection.
pub(super) fn is_alert(bytes: &[u8]) -> bool {
    bytes.first() == Some(&21)
}

/// The length field of an attribute.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

/// Reads requests and answers them.
pub(super) struct Stun(CryptoProvider);

impl std::fmt::Debug for Stun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stun")
    }
}

impl Stun {
    pub(super) fn new() -> Self {
        Self(from_feature_flags())
    }

    /// Reads a binding request of a libp2p dialer, if its integrity is right.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Option<(StunMessage<'a>, IceCredentials)> {
        let message = StunMessage::parse(bytes).ok().filter(|_| bytes.len() <= MAX_REQUEST)?;
        if !message.is_binding_request() {
            return None;
        }
        let credentials = IceCredentials::from_username(message.username()?).ok()?;
        message.verify(credentials.listener.password.as_bytes(), self.hmac()).then_some((message, credentials))
    }

    /// The answer to a request of this length. It is never longer, so it cannot amplify an attack from a forged address.
    pub(super) fn answer(
        &self,
        request: &StunMessage<'_>,
        length: usize,
        credentials: &IceCredentials,
        from: SocketAddr,
    ) -> Vec<u8> {
        let mut answer = vec![0; length];
        let reply = StunMessage::binding_reply(request.trans_id(), from);
        let written = reply.to_bytes(Some(credentials.listener.password.as_bytes()), &mut answer, self.hmac());
        answer.truncate(written.unwrap_or(0));
        answer
    }

    /// A binding request as the dialer would send it to nominate its address. It is written by hand, as the library's writer
    /// does not take user names as long as some are.
    pub(super) fn nomination(&self, credentials: &IceCredentials) -> Vec<u8> {
        let attribute = |kind: u16, value: &[u8]| {
            let padding = &[0; 3][..value.len().wrapping_neg() % 4];
            [&kind.to_be_bytes(), &length(value.len())[..], value, padding].concat()
        };
        let attributes = [
            attribute(USERNAME, credentials.username().as_bytes()),
            attribute(PRIORITY, &1_u32.to_be_bytes()),
            attribute(USE_CANDIDATE, &[]),
            attribute(ICE_CONTROLLING, &[0; 8]),
        ];
        let attributes = attributes.concat();
        // The length in the header includes the integrity attribute.
        let header =
            [&BINDING_REQUEST.to_be_bytes()[..], &length(attributes.len() + 4 + INTEGRITY_BYTES), &MAGIC, &[0; 12]];
        let signed = [header.concat(), attributes].concat();
        let integrity = self.hmac()(credentials.listener.password.as_bytes(), &[&signed]);
        [signed, attribute(INTEGRITY, &integrity)].concat()
    }

    fn hmac(&self) -> impl Fn(&[u8], &[&[u8]]) -> [u8; 20] {
        let provider = self.0.sha1_hmac_provider;
        move |key, payloads| provider.sha1_hmac(key, payloads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nomination_reads_as_its_dialers_whatever_the_length_of_its_name() {
        let stun = Stun::new();
        for length in [5, 32, 64, 200] {
            let credentials = IceCredentials::v1(&"x".repeat(length));
            let bytes = stun.nomination(&credentials);
            let (message, read) = stun.read(&bytes).unwrap_or_else(|| panic!("{length}: {bytes:x?}"));
            assert!(message.use_candidate() && read == credentials, "{length}");
        }
    }
}
