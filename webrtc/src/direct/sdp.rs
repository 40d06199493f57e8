//! Session descriptions that a dialer makes up: its listener's, and in version 1 its own.

use std::net::IpAddr;

use super::{
    address::Target,
    credentials::{Agreed, Version},
};
use crate::frame::MAX_FRAME_BYTES;

/// What the listener would answer: all of it follows from its address and the credentials.
#[must_use]
pub fn answer(target: &Target, agreed: &Agreed) -> String {
    let Target { ip, port, certificate, .. } = target;
    let family = if matches!(ip, IpAddr::V4(_)) { "IP4" } else { "IP6" };
    let mut lines = vec!["v=0".to_owned(), format!("o=- 0 0 IN {family} {ip}"), "s=-".to_owned(), "t=0 0".to_owned()];
    if agreed.version == Version::V2 {
        lines.push("a=ice-lite".to_owned());
    }
    lines.extend([
        format!("m=application {port} UDP/DTLS/SCTP webrtc-datachannel"),
        format!("c=IN {family} {ip}"),
        "a=mid:0".to_owned(),
        "a=ice-options:ice2".to_owned(),
        format!("a=ice-ufrag:{}", agreed.listener.ufrag),
        format!("a=ice-pwd:{}", agreed.listener.password),
        format!("a=fingerprint:sha-256 {certificate}"),
        "a=setup:passive".to_owned(),
        "a=sctp-port:5000".to_owned(),
        format!("a=max-message-size:{MAX_FRAME_BYTES}"),
        format!("a=candidate:1467250027 1 UDP 1467250027 {ip} {port} typ host"),
        "a=end-of-candidates".to_owned(),
    ]);
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// An offer with the credentials of version 1 in place of its own.
#[must_use]
pub fn rewritten(offer: &str, agreed: &Agreed) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some(("a=ice-ufrag", _)) => format!("a=ice-ufrag:{}\r\n", agreed.dialer.ufrag),
        Some(("a=ice-pwd", _)) => format!("a=ice-pwd:{}\r\n", agreed.dialer.password),
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
        let agreed = Agreed::v1("x9dk2mA8");
        let sdp = answer(&target("::1"), &agreed);
        assert_eq!(Fingerprint::in_sdp(&sdp), Some(Fingerprint::new([0xab; 32])));
        assert_eq!(Credentials::in_sdp(&sdp), Some(agreed.listener));
        assert!(sdp.contains("\r\nc=IN IP6 ::1\r\n") && sdp.contains("a=max-message-size:16384\r\n"));
        assert!(!sdp.contains("ice-lite"), "version 1 goes without");
        let dialer = Credentials { ufrag: "Gh7+".into(), password: "abcdefghijklmnopqrstuv".into() };
        assert!(answer(&target("192.0.2.1"), &Agreed::v2(dialer).unwrap()).contains("\r\na=ice-lite\r\n"));
    }

    #[test]
    fn an_offer_is_rewritten_and_nothing_else_in_it() {
        let offer = "v=0\r\na=ice-ufrag:Gh7+\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=mid:0\r\n";
        let agreed = Agreed::v1("x9dk2mA8");
        let rewritten = rewritten(offer, &agreed);
        assert_eq!(Credentials::in_sdp(&rewritten), Some(agreed.dialer));
        assert!(rewritten.starts_with("v=0\r\n") && rewritten.ends_with("\r\na=mid:0\r\n"));
    }
}
