//! What a hostile client does on one TCP connection, step by step.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::{sleep, timeout},
};

use super::dice::Dice;

/// Bytes that are poured before a hub must have had enough.
const POURED: usize = 8 * 1024 * 1024;
/// Until the hub must have hung up: its longest time-out is 15 s, and the machine may be busy.
const CUT_WITHIN: Duration = Duration::from_secs(45);
/// Between two dripped bytes.
const DRIP: Duration = Duration::from_millis(400);

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Byte after byte, now and then.
    Drip(Vec<u8>),
    /// The same bytes again and again.
    Pour(Vec<u8>),
    /// Nothing more comes, but something could still be read.
    HalfClose,
}

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Leave,
    /// Without a farewell.
    Reset,
    /// Stays and says nothing: the hub must hang up.
    Stay,
    /// The same, and reads nothing either.
    StayDeaf,
}

/// A whole connection.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: &'static str,
    pub steps: Vec<Step>,
    pub end: End,
}

impl Plan {
    pub fn new(name: &'static str, steps: impl IntoIterator<Item = Step>, end: End) -> Self {
        Self { name, steps: steps.into_iter().collect(), end }
    }

    /// What any listener must bear, given how an honest client begins.
    pub fn common(dice: &mut Dice, opening: &[u8]) -> Self {
        let end = *dice.pick(&[End::Leave, End::Leave, End::Leave, End::Reset, End::Stay]);
        let step = |bytes| [Step::Send(bytes)];
        let size = dice.between(1, 4096);
        match dice.below(9) {
            0 => Self::new("random bytes", step(dice.bytes(size)), end),
            1 => Self::new("half an opening", step(dice.cut(opening)), end),
            2 => Self::new(
                "half an opening, half closed",
                [step(dice.cut(opening)), [Step::HalfClose]].concat(),
                End::Stay,
            ),
            3 => Self::new("a garbled opening", step(dice.garble(opening)), end),
            4 => Self::new("garbage after an opening", step([opening, &dice.bytes(size)].concat()), end),
            5 => Self::new("an opening twice", step([opening, opening].concat()), end),
            6 => Self::new("an opening, drop by drop", [Step::Drip(opening.to_vec())], End::Stay),
            7 => Self::new("nothing", [], *dice.pick(&[End::Leave, End::Reset, End::Stay])),
            _ => Self::new("zeros and ones", [Step::Pour(vec![*dice.pick(&[0, 0xff]); 4096])], End::Stay),
        }
    }

    pub async fn carry_out(&self, address: SocketAddr) -> Result<(), String> {
        let told = |what: &str| format!("{}: {what}", self.name);
        let connected = timeout(CUT_WITHIN, TcpStream::connect(address)).await;
        let stream = connected.map_err(|_| told("no connection in time"))?.map_err(|error| told(&error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| told(&error.to_string()))?;
        if self.end == End::Reset {
            stream.set_zero_linger().map_err(|error| told(&error.to_string()))?;
        }
        let (mut reader, mut writer) = stream.into_split();
        let deaf = self.end == End::StayDeaf;
        let hear = hear(&mut reader, deaf);
        tokio::pin!(hear);
        // Whoever is hung up on while still talking needs to say no more.
        let hung_up = tokio::select! {
            () = &mut hear => true,
            taken = self.steps(&mut writer) => !taken,
        };
        if hung_up || matches!(self.end, End::Leave | End::Reset) {
            return Ok(());
        }
        let cut = async {
            match deaf {
                // Only writing tells whether anybody is still there.
                true => while writer.write_all(&[0; 4096]).await.is_ok() {},
                false => hear.await,
            }
        };
        timeout(CUT_WITHIN, cut).await.map_err(|_| told("the hub does not hang up"))
    }

    /// Says whether everything was taken.
    async fn steps(&self, writer: &mut OwnedWriteHalf) -> bool {
        for step in &self.steps {
            let taken = match step {
                Step::Send(bytes) => writer.write_all(bytes).await.is_ok(),
                Step::Drip(bytes) => drip(writer, bytes).await,
                Step::Pour(bytes) => pour(writer, bytes).await,
                Step::HalfClose => writer.shutdown().await.is_ok(),
            };
            if !taken {
                return false;
            }
        }
        true
    }
}

async fn drip(writer: &mut OwnedWriteHalf, bytes: &[u8]) -> bool {
    for byte in bytes {
        if writer.write_all(&[*byte]).await.is_err() {
            return false;
        }
        sleep(DRIP).await;
    }
    true
}

async fn pour(writer: &mut OwnedWriteHalf, bytes: &[u8]) -> bool {
    for _ in 0..POURED / bytes.len() {
        if writer.write_all(bytes).await.is_err() {
            return false;
        }
    }
    true
}

/// Until the hub hangs up.
async fn hear(reader: &mut OwnedReadHalf, deaf: bool) {
    if deaf {
        return std::future::pending().await;
    }
    let mut bytes = vec![0; 16 * 1024];
    while reader.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
}
