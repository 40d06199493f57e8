//! What other implementations put on the wire, byte by byte.
//!
//! js: `lengthPrefixed.encode.single(Message.encode(message))` of @libp2p/webrtc 6.0.33; go: `pbio` of `pb.Message` of
//! go-libp2p v0.51.0.

use bytes::Bytes;
use tincan_webrtc::frame::{Decoder, Flag, Frame, data, signal};

const FLAGS: [(Flag, &str); 4] =
    [(Flag::Fin, "020800"), (Flag::StopSending, "020801"), (Flag::Reset, "020802"), (Flag::FinAck, "020803")];
const HELLO: &str = "07120568656c6c6f";
/// js-libp2p and go-libp2p agree in this, too.
const HELLO_AND_FIN: &str = "090800120568656c6c6f";
/// go-libp2p's `error_code`, which the spec does not know.
const RESET_WITH_A_CODE: &str = "0408021807";
/// js-libp2p, no payload but a field for it.
const EMPTY: &str = "021200";

fn read(hexed: &str) -> Frame {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    let bytes = hex::decode(hexed).expect("hexadecimal digits");
    decoder.read(bytes.into(), |frame| frames.push(frame)).expect("frames");
    assert!(frames.len() == 1 && !decoder.is_mid_frame(), "one whole frame");
    frames.remove(0)
}

#[test]
fn theirs_are_read() {
    for (flag, hexed) in FLAGS {
        assert_eq!(read(hexed), Frame { flag: Some(flag), payload: Bytes::new() });
    }
    assert_eq!(read(HELLO), Frame { flag: None, payload: "hello".into() });
    assert_eq!(read(HELLO_AND_FIN), Frame { flag: Some(Flag::Fin), payload: "hello".into() });
    assert_eq!(read(RESET_WITH_A_CODE).flag, Some(Flag::Reset));
    assert_eq!(read(EMPTY), Frame::default());
}

#[test]
fn ours_are_the_same() {
    for (flag, hexed) in FLAGS {
        assert_eq!(hex::encode(signal(flag)), hexed);
    }
    assert_eq!(hex::encode(data(b"hello")), HELLO);
}
