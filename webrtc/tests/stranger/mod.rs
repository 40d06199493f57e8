//! What a stranger says to a listener of `/webrtc-direct`, byte by byte, so that it can stop anywhere.

use str0m::{
    crypto::from_feature_flags,
    ice::{StunMessage, TransId},
};
use tincan_webrtc::direct::credentials::IceCredentials;

const HELLO_VERIFY_REQUEST: u8 = 3;
/// Of a record and a message: what comes before a HelloVerifyRequest's version, and that.
const BEFORE_COOKIE: usize = 13 + 12 + 2;

/// The first request of a dialer.
pub(crate) fn request(credentials: &IceCredentials, password: &str) -> Vec<u8> {
    let username = credentials.username();
    let message = StunMessage::binding_request(&username, TransId::new(), true, 7, 1_853_824_767, true);
    let crypto = from_feature_flags();
    let mut bytes = vec![0; 1024];
    let hmac = |key: &[u8], payloads: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, payloads);
    let length = message.to_bytes(Some(password.as_bytes()), &mut bytes, hmac).unwrap_or_default();
    bytes.truncate(length);
    bytes
}

/// A ClientHello: the first one without a cookie, the second one with it.
pub(crate) fn client_hello(random: [u8; 32], cookie: &[u8]) -> Vec<u8> {
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let extension = |kind: u16, bytes: &[u8]| [&kind.to_be_bytes()[..], &vector(bytes)].concat();
    let extensions = [
        // Groups x25519 and secp256r1, points uncompressed, ECDSA with SHA-256, the extended master secret.
        extension(10, &vector(&[0, 29, 0, 23])),
        extension(11, &[1, 0]),
        extension(13, &vector(&[4, 3])),
        extension(23, &[]),
    ];
    let session_and_cookie = [&[0, cookie.len() as u8], cookie].concat();
    // ECDHE-ECDSA with AES-128-GCM, no compression.
    let offers = [vector(&[0xc0, 0x2b]), vec![1, 0], vector(&extensions.concat())].concat();
    let body = [&[0xfe, 0xfd], &random[..], &session_and_cookie, &offers].concat();
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    let number = u8::from(!cookie.is_empty());
    let message = [&[1], &length[..], &[0, number, 0, 0, 0], &length, &body].concat();
    [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, number], &vector(&message)[..]].concat()
}

/// The cookie of a HelloVerifyRequest, if it is one.
pub(crate) fn cookie(datagram: &[u8]) -> Option<&[u8]> {
    let is_request = datagram.first() == Some(&22) && datagram.get(13) == Some(&HELLO_VERIFY_REQUEST);
    let (length, rest) = datagram.get(BEFORE_COOKIE..)?.split_first()?;
    rest.get(..usize::from(*length)).filter(|_| is_request)
}
