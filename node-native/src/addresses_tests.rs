use super::*;

const ID: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
const HASH: &str = "uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g";

#[test]
fn dialled_addresses_come_with_and_without_an_id() {
    for host in ["/ip4/192.0.2.1", "/ip6/::1", "/dns4/hub.test", "/dns/hub.test"] {
        for way in ["/tcp/1", "/tcp/1/ws", "/tcp/1/tls/ws", "/tcp/443/wss", "/udp/1/quic-v1"] {
            assert!(parse_dial(&format!("{host}{way}")).is_ok(), "{host}{way}");
            assert!(parse_dial(&format!("{host}{way}/p2p/{ID}")).is_ok(), "{host}{way}");
            assert!(parse_dial(&format!("{host}{way}/p2p/{ID}/p2p-circuit/p2p/{ID}")).is_ok(), "{host}{way}");
        }
    }
    assert!(parse_dial(&format!("/ip4/192.0.2.1/udp/1/webrtc-direct/certhash/{HASH}")).is_ok());
    assert!(parse_dial(&format!("/dnsaddr/hub.test/p2p/{ID}")).is_ok());
}

#[test]
fn what_cannot_be_dialled_is_refused() {
    for text in [
        "",
        "nonsense",
        "/ip4/1.2.3.4",
        "/ip4/1.2.3.4/tcp/0",
        "/ip4/1.2.3.4/udp/1",
        "/memory/1",
        "/ip4/999.0.0.1/tcp/1",
    ] {
        assert!(parse_dial(text).is_err(), "{text}");
    }
    for address in ["/ip6/fe80::1/tcp/1", "/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip6zone/eth0/ip6/fe80::1/udp/1/quic-v1"]
    {
        for parse in [parse_dial, parse_external, parse_listen] {
            let error = parse(address).unwrap_err();
            assert!(error.contains("link-local") && error.contains("another address"), "{address}: {error}");
        }
    }
    let error = parse_dial("/ip4/192.0.2.1/udp/1/webrtc-direct").unwrap_err();
    assert!(error.contains("certhash"), "{error}");
}

#[test]
fn a_pasted_page_address_is_answered_with_the_address_to_write() {
    for (text, right) in [
        ("http://192.0.2.1:8747/", "/ip4/192.0.2.1/tcp/4747"),
        ("https://hub.test/?hub=x#room=a", "/dns/hub.test/tcp/4747"),
        ("http://[2001:db8::1]:8747", "/ip6/2001:db8::1/tcp/4747"),
        ("http://localhost:8747", "/dns/localhost/tcp/4747"),
        ("hub.test:4747", "/dns/hub.test/tcp/4747"),
        ("192.0.2.1", "/ip4/192.0.2.1/tcp/4747"),
    ] {
        let error = parse_dial(text).unwrap_err();
        assert!(error.contains(&format!("; write {right},")), "{text}: {error}");
        assert!(parse_dial(right).is_ok());
    }
    for text in ["nonsense", "http://", "http://a b/", "/dns4"] {
        let error = parse_dial(text).unwrap_err();
        assert!(error.contains("multiaddr"), "{text}: {error}");
    }
}

#[test]
fn listening_needs_an_ip_and_nobodys_id() {
    for text in
        ["/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/1/ws", "/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/udp/1/webrtc-direct"]
    {
        assert!(parse_listen(text).is_ok(), "{text}");
    }
    for text in ["/dns4/hub.test/tcp/1", "/ip4/0.0.0.0/udp/1", "/ip4/0.0.0.0/tcp/1/wss"] {
        assert!(parse_listen(text).is_err(), "{text}");
    }
    assert!(parse_listen(&format!("/ip4/0.0.0.0/tcp/1/p2p/{ID}")).is_err());
}

#[test]
fn wildcards_cover_what_they_become() {
    let point = |text: &str| Point::of(&text.parse().unwrap()).unwrap();
    let wildcard = point("/ip4/0.0.0.0/tcp/0");
    assert!(wildcard.covers(&point("/ip4/127.0.0.1/tcp/5")));
    assert!(!wildcard.covers(&point("/ip4/127.0.0.1/tcp/5/ws")));
    assert!(!wildcard.covers(&point("/ip6/::1/tcp/5")));
    assert!(!point("/ip4/127.0.0.1/tcp/4").covers(&point("/ip4/127.0.0.1/tcp/5")));
    let direct = format!("/ip4/127.0.0.1/udp/5/webrtc-direct/certhash/{HASH}");
    assert!(point("/ip4/0.0.0.0/udp/0/webrtc-direct").covers(&point(&direct)));
}

#[test]
fn a_port_in_use_is_found() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp(taken.local_addr().unwrap().ip(), taken.local_addr().unwrap().port());
    assert!(matches!(check_free(std::slice::from_ref(&address)), Err(Error::InUse { .. })));
    drop(taken);
    let twice = [address.clone(), address.with(Protocol::Ws("/".into()))];
    assert!(matches!(check_free(&twice), Err(Error::Usage(_))));
}

#[test]
fn defaults_leave_ipv6_out_where_there_is_none() {
    assert_eq!(hub_defaults(false).len(), 4);
    assert_eq!(hub_defaults(true).len(), if cfg!(feature = "stock-webrtc") { 7 } else { 8 });
    assert_eq!(peer_defaults(false).len(), if cfg!(feature = "stock-webrtc") { 3 } else { 2 });
    assert!(!is_dialable(&"/ip4/0.0.0.0/tcp/1".parse().unwrap()));
    assert!(!is_dialable(&"/ip6/fe80::1/tcp/1".parse().unwrap()));
}
