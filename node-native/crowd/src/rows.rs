//! The figures of one measurement each, as they are printed: one line of JSON.

use serde::Serialize;

/// What came out of one measurement.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "row", rename_all = "kebab-case")]
pub enum Row {
    /// Peers that come into one room.
    Join(Join),
    /// Lines that are said there.
    Lines(Lines),
    /// A hub that is killed and started again.
    Restart(Restart),
}

/// Who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nodes of Tincan.
    Tincan,
    /// Peers of stock gossipsub.
    Stock,
}

/// How they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// At equal distances over some seconds.
    Evenly,
    /// In the same moment.
    AtOnce,
}

/// Who else is there while lines are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// Nobody.
    Nobody,
    /// A client that repeats `Watch`.
    Watcher,
    /// Peers that stop reading.
    Deaf,
}

/// See [`Row::Join`].
#[derive(Debug, Clone, Serialize)]
pub struct Join {
    /// How many.
    pub peers: usize,
    /// Who.
    pub kind: Kind,
    /// How.
    pub arrival: Arrival,
    /// From the first dial to the last.
    pub dialled_s: f64,
    /// Peers that were let in and knew the total in the end.
    pub knowing: usize,
    /// From the first dial until the last of them did; nothing where not all did in time.
    pub all_know_s: Option<f64>,
    /// What the hub took until then, for each peer.
    pub hub_ms_per_join: f64,
    /// What the hub took until it was quiet, for each peer.
    pub hub_ms_per_join_until_quiet: f64,
    /// From the first dial until hub and peers were quiet; nothing where they were not in time.
    pub quiet_s: Option<f64>,
    /// What hub and peers took until all knew, in percent of one core.
    pub hub_percent: f64,
    /// As [`Self::hub_percent`].
    pub load_percent: f64,
    /// What the hub takes when nothing happens, in percent of one core.
    pub idle_percent: f64,
    /// Resident memory of the hub in the end, and the most there ever was.
    pub hub_mib: f64,
    /// As [`Self::hub_mib`].
    pub hub_peak_mib: f64,
    /// Times that a peer's listener, in the peers' process, was too slow and missed events.
    pub lagged: usize,
}

/// See [`Row::Lines`].
#[derive(Debug, Clone, Serialize)]
pub struct Lines {
    /// How many are in the room, those of [`Self::beside`] not counted.
    pub peers: usize,
    /// Who.
    pub kind: Kind,
    /// Who else.
    pub beside: Beside,
    /// How many of these.
    pub beside_count: usize,
    /// Lines.
    pub lines: usize,
    /// Time between two.
    pub every_ms: u64,
    /// Pairs of a line and a peer other than its author.
    pub expected: usize,
    /// Of these, where the peer was shown the line in time.
    pub delivered: usize,
    /// Lines that somebody was shown twice, or after a later one of the same author.
    pub doubled: usize,
    /// As [`Self::doubled`].
    pub misordered: usize,
    /// Lines that waited with their author, since nobody was known to be there.
    pub waited: usize,
    /// As [`Join::lagged`].
    pub lagged: usize,
    /// Until a line was shown; what was not delivered counts as taking for ever.
    pub p50_ms: Option<f64>,
    /// As [`Self::p50_ms`].
    pub p99_ms: Option<f64>,
    /// Of those that were delivered.
    pub max_ms: Option<f64>,
    /// What hub and peers took meanwhile, in percent of one core.
    pub hub_percent: f64,
    /// As [`Self::hub_percent`].
    pub load_percent: f64,
    /// Of a client that repeats `Watch`: how many were taken from it a second, and KiB a second that it was told.
    pub watches_per_s: f64,
    /// As [`Self::watches_per_s`].
    pub told_kib_per_s: f64,
}

/// See [`Row::Restart`].
#[derive(Debug, Clone, Serialize)]
pub struct Restart {
    /// How many are in the room.
    pub peers: usize,
    /// Lines that were said before, and have been delivered.
    pub lines_before: usize,
    /// Lines that were said while the hub was away or peers were on their way back.
    pub lines_meanwhile: usize,
    /// From the kill until the hub listened again.
    pub away_s: f64,
    /// Peers that were let in and knew the total in the end.
    pub back: usize,
    /// From the kill until the last of them did; nothing where not all did in time.
    pub all_back_s: Option<f64>,
    /// From the kill until everybody had every line; nothing where that was not so in time.
    pub all_lines_s: Option<f64>,
    /// Pairs of a line and a peer that was not shown it.
    pub missing: usize,
    /// Lines that somebody was shown twice, or after a later one of the same author.
    pub doubled: usize,
    /// As [`Self::doubled`].
    pub misordered: usize,
    /// The most that one line was handed over in syncs, by whomever, and the mean over those that were.
    pub line_uploads_most: usize,
    /// As [`Self::line_uploads_most`].
    pub line_uploads_mean: f64,
    /// The same for presences.
    pub presence_uploads_most: usize,
    /// As [`Self::presence_uploads_most`].
    pub presence_uploads_mean: f64,
    /// MiB of all that was handed over.
    pub uploaded_mib: f64,
    /// What the hub took from its start until it was quiet, in seconds of processor.
    pub hub_s: f64,
    /// What the peers took from the kill until then.
    pub load_s: f64,
}

impl Row {
    /// Whether everything arrived, once and in order, and everybody got to know what there is to know. Says what did not.
    ///
    /// # Errors
    /// In words.
    pub fn holds(&self) -> Result<(), String> {
        let (holds, what) = match self {
            Self::Join(join) => (join.all_know_s.is_some(), "not all know the total"),
            Self::Lines(lines) => {
                let all = lines.delivered == lines.expected && lines.waited == 0;
                (all && lines.doubled + lines.misordered == 0, "a line is missing, doubled or out of order")
            }
            Self::Restart(restart) => {
                let all = restart.back == restart.peers && restart.missing == 0;
                (
                    all && restart.doubled + restart.misordered == 0,
                    "somebody or a line is missing, doubled or misplaced",
                )
            }
        };
        if holds { Ok(()) } else { Err(format!("{what}: {self:?}")) }
    }
}
