//! What a caller asks of the actor, each with a reply of its own type.

use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use crate::{
    Counters, Error, Message, NodeInfo, PeerInfo, ProvideOutcome, PutOutcome, RoomInfo, Rules, Said, Status, StoredRoom,
};

/// Where an answer goes. Dropping it tells the caller that the node stopped.
pub(crate) type Reply<T> = oneshot::Sender<T>;

#[derive(Debug)]
pub(crate) enum Command {
    Info { reply: Reply<NodeInfo> },
    Status { reply: Reply<Status> },
    Peers { reply: Reply<Vec<PeerInfo>> },
    Rooms { reply: Reply<Vec<RoomInfo>> },
    StoredRooms { reply: Reply<Vec<StoredRoom>> },
    Messages { room: String, reply: Reply<Result<Vec<Message>, Error>> },
    Join { room: String, plain: bool, reply: Reply<Result<RoomInfo, Error>> },
    SetDirect { room: String, direct: bool, reply: Reply<Result<(), Error>> },
    Leave { room: String, reply: Reply<Result<(), Error>> },
    Say { room: String, text: String, patient: bool, reply: Reply<Result<Said, Error>> },
    Settle { room: String, reply: Reply<Result<(), Error>> },
    Untaken { room: String, reply: Reply<Result<Vec<Message>, Error>> },
    SetNick { nick: String, reply: Reply<Result<(), Error>> },
    Dial { address: Multiaddr, reply: Reply<Result<PeerId, Error>> },
    StayConnected { addresses: Vec<Multiaddr>, reply: Reply<()> },
    Retry { wanted: bool, reply: Reply<()> },
    Put { key: String, value: Vec<u8>, reply: Reply<Result<PutOutcome, Error>> },
    Get { key: String, reply: Reply<Result<Option<Vec<u8>>, Error>> },
    Provide { key: String, reply: Reply<Result<ProvideOutcome, Error>> },
    Providers { key: String, reply: Reply<Result<Vec<PeerId>, Error>> },
    Counters { reply: Reply<Counters> },
    Reload { rules: Box<Rules>, reply: Reply<Result<Vec<&'static str>, Error>> },
    Shutdown { reply: Reply<()> },
}
