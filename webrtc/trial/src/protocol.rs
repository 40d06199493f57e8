//! Names and bounds.

use std::time::Duration;

use libp2p::StreamProtocol;

/// What identify says.
pub const VERSION: &str = "/trial/1";
/// Kademlia among trial nodes.
pub const KADEMLIA: StreamProtocol = StreamProtocol::new("/trial/kad/1.0.0");
/// Room and key alike.
pub const TRIAL: &str = "trial";
/// The hub's record under [`TRIAL`].
pub const RECORD: &[u8] = b"hello";
/// The beginning of a line that a hub answers.
pub const GREETING: &str = "hello ";
/// The end of its answer.
pub const ANSWER: &str = " to you";

/// The opener writes and closes; the other writes the same bytes and closes.
pub const ECHO: StreamProtocol = StreamProtocol::new("/trial/echo/1");
/// The opener closes at once; the other opens [`ECHO`] to it, and says on the first stream how that went.
pub const ASK: StreamProtocol = StreamProtocol::new("/trial/ask/1");
/// The opener says direction and length, one of them sends so many bytes, the hub says their hash.
pub const BULK: StreamProtocol = StreamProtocol::new("/trial/bulk/1");
/// Of libp2p; opened apart from the behaviour of that name, which pings when it likes.
pub const PING: StreamProtocol = StreamProtocol::new("/ipfs/ping/1.0.0");

/// Bytes of an echo.
pub const MAX_ECHO_BYTES: usize = 64 * 1024;
/// Bytes that are echoed on being asked, and in a join.
pub const ECHO_BYTES: usize = 4096;
/// Bytes of the answer to an ask.
pub const MAX_VERDICT_BYTES: usize = 1024;
/// Bytes of a bulk stream; whoever receives them keeps them in memory.
pub const MAX_BULK_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes of a ping.
pub const PING_BYTES: usize = 32;
/// Pings in a row, at most.
pub const MAX_PINGS: usize = 10_000;
/// Streams that are open at once, at most.
pub const MAX_AT_ONCE: usize = 256;

/// All of a join.
pub const JOIN_LIMIT: Duration = Duration::from_secs(10);
/// Anything else that has no bound of its own.
pub const PATIENCE: Duration = Duration::from_secs(30);
