//! What goes wrong is said in one line, with the right exit status.

mod support;

use std::{
    fs,
    net::{TcpListener, UdpSocket},
};

use support::{Hub, tincan};

#[test]
fn bad_usage_is_2() {
    for (arguments, part) in [
        ("--nonsense", "--nonsense"),
        ("nonsense", "nonsense"),
        ("chat nonsense", "nonsense"),
        ("ping", "ADDR"),
        ("chat http://192.0.2.1:8747/", "write /ip4/192.0.2.1/tcp/4747"),
        ("ping /ip4/127.0.0.1", "/ip4/127.0.0.1"),
        ("ping /ip4/127.0.0.1/tcp/1 -c 0", "--count"),
        ("--listen /ip4/0.0.0.0/tcp/x", "/ip4/0.0.0.0/tcp/x"),
        ("--bootstrap /ip4/127.0.0.1/udp/1/webrtc-direct", "certhash"),
        ("--http nonsense", "HOST:PORT"),
        ("--trusted-proxy nonsense", "192.0.2.0/24"),
        ("--trusted-proxy 192.0.2.0/33", "192.0.2.0/33"),
        ("--trusted-proxy 192.0.2.1 chat", "--trusted-proxy belongs to tincan serve"),
        ("--page /nonexistent --ephemeral --http 127.0.0.1:0", "/nonexistent"),
        ("chat --plain --floodsub", "--floodsub"),
        ("chat --ephemeral --nick \u{200b}", "nick"),
        ("chat localhost", "/ip4/192.0.2.1/tcp/4747"),
        ("--kad-protocol nonsense --ephemeral --http 127.0.0.1:0", "kad_protocol"),
        (
            "--listen /ip4/127.0.0.1/tcp/54321 --listen /ip4/127.0.0.1/tcp/54321/ws --ephemeral --http 127.0.0.1:0",
            "54321",
        ),
    ] {
        let ended = tincan(arguments).run(b"");
        let error = ended.error(2);
        assert!(error.contains(part), "{arguments}: {error}");
        assert_eq!((ended.err.len(), ended.out.len()), (1, 0), "{ended:?}");
    }
}

#[test]
fn bad_environment_and_config_are_2() {
    let ended = tincan("chat").env("TINCAN_LISTEN", "nonsense").run(b"");
    assert!(ended.error(2).contains("nonsense is no value for TINCAN_LISTEN: "));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tincan.toml");
    for (content, part) in [
        ("rooom = \"a\"", "rooom"),
        ("listen = [\"x\"]", "line 1"),
        ("nick =", "line 1"),
        ("trusted_proxy = [\"x\"]", "line 1: x: write an address like 192.0.2.1 or a range"),
    ] {
        fs::write(&path, content).unwrap();
        let ended = tincan("chat").path("--config", &path).run(b"");
        let error = ended.error(2);
        assert!(error.contains(part) && error.contains("tincan.toml"), "{error}");
    }
    let ended = tincan("chat").path("--config", &dir.path().join("missing")).run(b"");
    assert!(ended.error(2).contains("missing"));
}

#[test]
fn limits_that_cannot_work_are_named_with_what_works() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tincan.toml");
    let year = 365 * 24 * 3600;
    for (limits, name, works) in [
        ("kept_bytes = 2_000_000", "kept_bytes", "1954462"),
        ("kept_bytes = 1_954_463", "kept_bytes", "1954462"),
        ("kept_bytes = 6143", "kept_bytes", "6144"),
        ("kept_frames = 769", "kept_frames", "1024"),
        ("kept_presences = 825", "kept_frames", "1024"),
        ("kept_frames = 9223372036854775807", "kept_frames", "1024"),
        ("kept_frames = 0", "kept_frames", "1 or more"),
        ("kept_presences = 0", "kept_presences", "1 or more"),
        ("carried_rooms = 513", "carried_rooms", "512"),
        ("carried_rooms_per_peer = 65", "carried_rooms_per_peer", "64"),
        ("joined_rooms = 65", "joined_rooms", "64"),
        ("waiting_lines = 4097", "waiting_lines", "4096"),
        ("known_hubs = 0", "known_hubs", "1 or more"),
        ("connections = 0", "connections", "1 or more"),
        ("circuits_per_peer = 0", "circuits_per_peer", "1 or more"),
        ("offences = 0", "offences", "1 or more"),
        ("refuse_for_secs = 9223372036854775807", "refuse_for_secs", "31536000"),
        ("refuse_for_secs = 0", "refuse_for_secs", "1 to"),
        ("carry_linger_secs = 9223372036854775807", "carry_linger_secs", "31536000"),
        ("circuit_duration_secs = 4294967296", "circuit_duration_secs", "31536000"),
        (&format!("circuit_duration_secs = {}", year + 1), "circuit_duration_secs", "31536000"),
        ("circuit_duration_secs = 0", "circuit_duration_secs", "1 to"),
        ("connections = 4294967296", "connections", "u32"),
    ] {
        fs::write(&path, format!("[limits]\n{limits}\n")).unwrap();
        let ended = tincan("serve --ephemeral --http 127.0.0.1:0 --listen /ip4/127.0.0.1/tcp/0");
        let ended = ended.path("--config", &path).run(b"");
        let error = ended.error(2);
        let named = error.contains(name) || error.contains("line 2");
        assert!(named && error.contains(works), "{limits}: {error}");
        assert_eq!((ended.err.len(), ended.out.len()), (1, 0), "{ended:?}");
    }
}

#[test]
fn limits_at_their_bounds_work() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tincan.toml");
    let limits = "kept_bytes = 1_954_462\ncarried_rooms = 512\ncarried_rooms_per_peer = 64\njoined_rooms = 64\n\
                  waiting_lines = 4096\nrefuse_for_secs = 31_536_000\ncarry_linger_secs = 31_536_000\n\
                  circuit_duration_secs = 31_536_000\nconnections = 4_294_967_295\ncircuits = 9223372036854775807\n\
                  reservations = 9223372036854775807\nqueries = 9223372036854775807\n";
    fs::write(&path, format!("[limits]\n{limits}")).unwrap();
    let hub = Hub::of(tincan(support::HUB_FLAGS).arguments("--ephemeral").path("--config", &path));
    let ended = tincan(&format!("ping --ephemeral {} -c 1", hub.address("tcp"))).run(b"");
    ended.assert_status(0);
}

#[test]
fn a_port_in_use_is_named() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp_port, udp_port) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
    for (flags, part) in [
        (format!("--http 127.0.0.1:0 --listen /ip4/127.0.0.1/tcp/{tcp_port}"), format!("/tcp/{tcp_port} is in use")),
        (
            format!("--http 127.0.0.1:0 --listen /ip4/127.0.0.1/tcp/{tcp_port}/ws"),
            format!("/tcp/{tcp_port}/ws is in use"),
        ),
        (format!("--http 127.0.0.1:0 --listen /ip4/127.0.0.1/udp/{udp_port}/quic-v1"), format!("/udp/{udp_port}/")),
        (format!("--http 127.0.0.1:{tcp_port}"), format!("127.0.0.1:{tcp_port} is in use")),
    ] {
        let ended = tincan(&format!("serve --ephemeral {flags}")).run(b"");
        let error = ended.error(1);
        assert!(error.contains(&part), "{error}");
        assert_eq!((ended.err.len(), ended.out.len()), (1, 0), "{ended:?}");
    }
}

#[test]
fn a_second_hub_on_one_port_is_refused() {
    let hub = Hub::start();
    let address = support::without_id(hub.address("tcp"));
    let ended = tincan(&format!("serve --ephemeral --http 127.0.0.1:0 --listen {address}")).run(b"");
    assert!(ended.error(1).contains("is in use"));
}

#[test]
fn what_is_unreadable_is_named_and_left_alone() {
    for name in ["identity.key", "webrtc.pem", "tincan.redb"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, "nonsense").unwrap();
        let ended = tincan("chat").path("--data-dir", dir.path()).run(b"");
        let error = ended.error(1);
        assert!(error.contains(name), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"nonsense");

        // Root reads everything; a folder is read by nobody.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let ended = tincan("chat").path("--data-dir", dir.path()).run(b"");
        assert!(ended.error(1).contains(name));
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let ended = tincan("id").path("--data-dir", &file.path().join("below")).run(b"");
    assert!(ended.error(1).contains("below"));
}

#[test]
fn a_data_directory_has_one_holder() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("tincan");
    let hub = Hub::start_in(&dir);
    for command in ["serve --http 127.0.0.1:0 --listen /ip4/127.0.0.1/tcp/0", "chat", "kv"] {
        let ended = tincan(command).path("--data-dir", &dir).run(b"");
        assert!(ended.error(1).contains("is held by a running node"), "{command}");
    }
    // Nobody named it: a terminal does without, and says so.
    let ended = tincan("chat").env("XDG_DATA_HOME", home.path()).run(b"");
    ended.assert_status(0);
    assert!(ended.err.iter().any(|line| line.contains("another node runs here")), "{ended:?}");
    let id = tincan("id").env("XDG_DATA_HOME", home.path()).run(b"");
    id.assert_status(0);
    assert_eq!(id.out, std::slice::from_ref(&hub.id));
}

#[test]
fn output_that_nobody_takes_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_tincan"))
        .args(["id", "--ephemeral"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.starts_with("error: cannot write to standard output") && told.lines().count() == 1, "{told}");
}

#[test]
fn a_key_that_others_can_read_is_warned_about_and_tightened() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let dir = tempfile::tempdir().unwrap();
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    tincan("kv").path("--data-dir", dir.path()).run(b"").assert_status(0);
    for name in ["identity.key", "webrtc.pem"] {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o644)).unwrap();
        let ended = tincan("kv").path("--data-dir", dir.path()).run(b"");
        ended.assert_status(0);
        assert!(ended.err.iter().any(|line| line.contains("WARN") && line.contains(name)), "{ended:#?}");
        assert_eq!(mode(name), 0o600);
    }
    let quiet = tincan("kv").path("--data-dir", dir.path()).run(b"");
    assert!(!quiet.err.iter().any(|line| line.contains("WARN")), "{quiet:#?}");
}
