//! What is said in a room, to go-libp2p and by it.

use tincan_shared::room::frame;

use crate::{go::Go, place::Known};

/// The room.
pub(crate) const NAME: &str = "crossing";
/// Payloads heard until the line must have come: presences come too.
const HEARD: usize = 8;

/// Joins, and waits until lines to and from this peer flow.
pub(crate) fn join(go: &mut Go, by: &str) {
    go.ask(&format!("join {NAME}"));
    go.ask(&format!("mesh {NAME} {by}"));
}

/// Ours says frames, go-libp2p text.
pub(crate) fn converse_in_frames(chat: &mut Known, go: &mut Go) {
    hears_go(chat, go, "unsigned");
    chat.running.line("hello go");
    let heard = (0..HEARD).map(|_| hear(go).1).find_map(|payload| {
        assert!(payload.starts_with(&[frame::MARK, frame::VERSION]), "{payload:x?}");
        let frame = frame::verify(&payload).expect("a frame that proves itself");
        assert_eq!((frame.author.to_string().as_str(), frame.room.as_str()), (chat.id.as_str(), NAME));
        match frame.body {
            frame::Body::Message { text, .. } => Some(text),
            _ => None,
        }
    });
    assert_eq!(heard.as_deref(), Some("hello go"));
}

/// Both say text, and the first that go-libp2p hears is a line.
pub(crate) fn converse_in_plain_lines(chat: &mut Known, go: &mut Go) {
    // Where nothing is signed, nothing is marked as unsigned.
    hears_go(chat, go, "guest");
    chat.running.line("grüezi go");
    let (from, payload) = hear(go);
    assert_eq!((from.as_str(), payload.as_slice()), (chat.id.as_str(), "grüezi go".as_bytes()));
}

/// Ours sees go-libp2p as a member, and what it says as a line of another program.
fn hears_go(chat: &mut Known, go: &mut Go, name: &str) {
    chat.running.err.containing(&format!("joined: guest ({})", go.short_id()));
    go.ask(&format!("say {NAME} salü tincan"));
    assert_eq!(chat.running.out.next(), format!("[{NAME}] {name} ({}): salü tincan", go.short_id()));
}

/// The next payload and whose signature gossip has under it.
fn hear(go: &mut Go) -> (String, Vec<u8>) {
    let answer = go.ask(&format!("hear {NAME}"));
    let words = answer.strip_prefix("heard from ").expect(&answer);
    let (from, payload) = words.split_once(": ").expect(words);
    (from.to_owned(), hex::decode(payload).expect("hex"))
}
