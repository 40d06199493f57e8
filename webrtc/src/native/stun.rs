//! The first words of a stranger: a STUN request that says everything, answered from nothing but itself.

use std::net::SocketAddr;

use str0m::{
    crypto::{CryptoProvider, from_feature_flags},
    ice::StunMessage,
};

use crate::direct::credentials::Agreed;

/// Bytes of a request that is read.
const MAX_REQUEST: usize = 1024;

/// Whether bytes are STUN's, by RFC 7983.
pub(super) fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= 20 && bytes[0] < 2
}

/// Whether they begin a DTLS handshake: a record with a ClientHello.
pub(super) fn is_client_hello(bytes: &[u8]) -> bool {
    is_handshake(bytes, 1)
}

/// Whether they answer one whose source has proved that it receives: a record with a ServerHello.
pub(super) fn is_server_hello(bytes: &[u8]) -> bool {
    is_handshake(bytes, 2)
}

fn is_handshake(bytes: &[u8], kind: u8) -> bool {
    bytes.first() == Some(&22) && bytes.get(13) == Some(&kind)
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

    /// What a binding request says, if it is one of ours and intact.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Option<(StunMessage<'a>, Agreed)> {
        let message = StunMessage::parse(bytes).ok().filter(|_| bytes.len() <= MAX_REQUEST)?;
        if !message.is_binding_request() {
            return None;
        }
        let agreed = Agreed::of_username(message.username()?).ok()?;
        message.verify(agreed.listener.password.as_bytes(), self.hmac()).then_some((message, agreed))
    }

    /// The answer, never longer than what it answers: a forged source gains nothing.
    pub(super) fn answer(
        &self,
        request: &StunMessage<'_>,
        length: usize,
        agreed: &Agreed,
        from: SocketAddr,
    ) -> Vec<u8> {
        let mut answer = vec![0; length];
        let reply = StunMessage::binding_reply(request.trans_id(), from);
        let written = reply.to_bytes(Some(agreed.listener.password.as_bytes()), &mut answer, self.hmac());
        answer.truncate(written.unwrap_or(0));
        answer
    }

    fn hmac(&self) -> impl Fn(&[u8], &[&[u8]]) -> [u8; 20] {
        let provider = self.0.sha1_hmac_provider;
        move |key, payloads| provider.sha1_hmac(key, payloads)
    }
}
