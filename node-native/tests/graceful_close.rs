//! How a WebSocket ends.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use support::Hub;

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: hub.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// Masked by zeros, so as it is: no protocol that anybody speaks.
const NONSENSE: &[u8] = &[0x82, 0x84, 0, 0, 0, 0, b'\x03', b'n', b'o', b'\n'];
const CLOSE: u8 = 0x88;
/// Of a client, with the code of an end by choice.
const CLOSE_FRAME: &[u8] = &[CLOSE, 0x82, 0, 0, 0, 0, 0x03, 0xe8];
const PATIENCE: Duration = Duration::from_secs(5);

/// The payload of one short frame of a server, and what it begins with.
fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).expect("a frame");
    assert!(head[1] < 126, "a short frame: {head:?}");
    let mut payload = vec![0; head[1].into()];
    stream.read_exact(&mut payload).expect("a payload");
    (head[0], payload)
}

/// A browser calls a connection broken that is reset, or ends without that frame.
#[test]
fn a_websocket_is_closed_by_a_frame_and_what_the_other_side_still_says_resets_nothing() {
    let hub = Hub::start();
    let port = hub.address("ws").split('/').nth(4).expect("a port");
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(UPGRADE.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        answer.extend(byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream.write_all(NONSENSE).expect("sent");
    while frame(&mut stream).0 != CLOSE {}
    for part in [NONSENSE, CLOSE_FRAME] {
        stream.write_all(part).expect("still heard");
    }
    assert_eq!(stream.read(&mut [0]).expect("an end, and no reset"), 0);
}
