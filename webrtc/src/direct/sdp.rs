//! Session descriptions that a dialer derives: the listener's, and in version 1 its own.

use std::net::IpAddr;

use super::{
    address::Target,
    credentials::{IceCredentials, Version},
};
use crate::frame::MAX_FRAME_BYTES;

/// The listener's answer, derived from its address and the credentials.
#[must_use]
pub fn answer(target: &Target, credentials: &IceCredentials) -> String {
    let Target { ip, port, certificate, .. } = target;
    let family = if matches!(ip, IpAddr::V4(_)) { "IP4" } else { "IP6" };
    let mut lines = vec!["v=0".to_owned(), format!("o=- 0 0 IN {family} {ip}"), "s=-".to_owned(), "t=0 0".to_owned()];
    if credentials.version == Version::V2 {
        lines.push("a=ice-lite".to_owned());
    }
    lines.extend([
        format!("m=application {port} UDP/DTLS/SCTP webrtc-datachannel"),
        format!("c=IN {family} {ip}"),
        "a=mid:0".to_owned(),
        "a=ice-options:ice2".to_owned(),
        format!("a=ice-ufrag:{}", credentials.listener.ufrag),
        format!("a=ice-pwd:{}", credentials.listener.password),
        format!("a=fingerprint:sha-256 {certificate}"),
        "a=setup:passive".to_owned(),
        "a=sctp-port:5000".to_owned(),
        format!("a=max-message-size:{MAX_FRAME_BYTES}"),
        format!("a=candidate:1467250027 1 UDP 1467250027 {ip} {port} typ host"),
        "a=end-of-candidates".to_owned(),
    ]);
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// An offer with its credentials replaced by those of version 1.
#[must_use]
pub fn rewrite_offer(offer: &str, credentials: &IceCredentials) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some(("a=ice-ufrag", _)) => format!("a=ice-ufrag:{}\r\n", credentials.dialer.ufrag),
        Some(("a=ice-pwd", _)) => format!("a=ice-pwd:{}\r\n", credentials.dialer.password),
        _ => format!("{line}\r\n"),
    };
    offer.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direct::{address::Fingerprint, credentials::Credentials};

    fn target(ip: &str) -> Target {
        let certificate = Fingerprint::new([0xab; 32]);
        Target { ip: ip.parse().unwrap(), port: 4748, certificate, peer: None }
    }

    #[test]
    fn the_answer_says_what_the_address_says() {
        let credentials = IceCredentials::v1("x9dk2mA8");
        let sdp = answer(&target("::1"), &credentials);
        assert_eq!(Fingerprint::from_sdp(&sdp), Some(Fingerprint::new([0xab; 32])));
        assert_eq!(Credentials::from_sdp(&sdp), Some(credentials.listener));
        assert!(sdp.contains("\r\nc=IN IP6 ::1\r\n") && sdp.contains("a=max-message-size:16384\r\n"));
        assert!(!sdp.contains("ice-lite"), "version 1 goes without");
        let dialer = Credentials { ufrag: "Gh7+".into(), password: "abcdefghijklmnopqrstuv".into() };
        assert!(answer(&target("192.0.2.1"), &IceCredentials::v2(dialer).unwrap()).contains("\r\na=ice-lite\r\n"));
    }

    #[test]
    fn an_offer_is_rewritten_and_nothing_else_in_it() {
        let offer = "v=0\r\na=ice-ufrag:Gh7+\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=mid:0\r\n";
        let credentials = IceCredentials::v1("x9dk2mA8");
        let rewritten = rewrite_offer(offer, &credentials);
        assert_eq!(Credentials::from_sdp(&rewritten), Some(credentials.dialer));
        assert!(rewritten.starts_with("v=0\r\n") && rewritten.ends_with("\r\na=mid:0\r\n"));
    }
}
