//! What can go wrong around the node, and the exit status it ends in.

use std::{io, path::PathBuf};

/// Said where nothing better is known.
const NO_ANSWER: &str = "no answer yet; check the address, and that the peer runs";

/// A situation that ends the program: what happened, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A command line that cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// A config file that cannot be read or understood.
    #[error("config file {path}: {reason}; correct it, or start without --config")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A folder that cannot be served as the page.
    #[error("page folder {path}: {reason}; name one that `cargo xtask page` made, or start without --page")]
    Page {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nowhere to keep data.
    #[error("no home directory to keep data in; give --data-dir DIR or --ephemeral")]
    NoHome,
    /// Another node runs on this data directory.
    #[error("data directory {dir} is held by a running node; stop that one, or give another --data-dir")]
    DataDirTaken {
        /// The directory.
        dir: PathBuf,
    },
    /// A file or directory that the system refuses.
    #[error("cannot {what} {path}: {source}; {}", remedy(source))]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file system that cannot say who uses a file.
    #[error(
        "no file can be locked in {dir}: {reason}; give a --data-dir on a file system with locks, such as a local disk"
    )]
    NoLocks {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A key file that holds no key.
    #[error(
        "key file {path} is damaged: {reason}; restore it from a copy, or move it away to start with a new peer id"
    )]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate file that holds no certificate.
    #[error("certificate file {path} is damaged: {reason}; move it away to have a new one made")]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A database that cannot be opened.
    #[error("database {path}: {reason}; restore it from a copy, or move it away to start without history")]
    Database {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A port that somebody else holds.
    #[error("{address} is in use; stop the program that holds it, or choose another with {flag}")]
    InUse {
        /// The address.
        address: String,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// An address this machine refuses to listen on.
    #[error("cannot listen on {address}: {reason}; choose another with {flag}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        reason: String,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// No interface is up, not even loopback.
    #[error("this machine has no network address, not even 127.0.0.1; bring an interface up, as in: ip link set lo up")]
    NoNetwork,
    /// Something this machine cannot set up.
    #[error("cannot set up {what}: {reason}; check this machine's limits, or report it")]
    SetUp {
        /// What it was.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// Whoever read our output has gone.
    #[error("cannot write to standard output: {0}; keep its reader open")]
    Output(io::Error),
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}; give it a file, a pipe or a terminal")]
    Input(io::Error),
    /// Lines of chat that nobody took.
    #[error("{} not sent: {why}", lines_were(.count))]
    Unsent {
        /// How many.
        count: usize,
        /// What stood in the way.
        why: WhyUnsent,
    },
    /// A peer was named, nobody was reached, and nothing is kept or something was looked for.
    #[error("nobody was reached, so nothing was asked of others or kept by them: {}", .reason.as_deref().unwrap_or(NO_ANSWER))]
    NobodyReached {
        /// Whom, and why; where that was told by then.
        reason: Option<String>,
    },
    /// Console lines of the input that had no answer yet when the program was told to end.
    #[error("{} not answered: it was told to end", lines_were(.count))]
    Unanswered {
        /// How many were read and had none.
        count: usize,
    },
    /// What was put is not on the disk.
    #[error("the disk did not take everything, so what was put here may be lost; make space on it, and put it again")]
    NotWritten,
    /// Console lines that were answered with an error.
    #[error("{} answered with an error; see the answers", lines_were(.count))]
    Lines {
        /// How many.
        count: usize,
    },
    /// The peer that was pinged does not answer, or has gone.
    #[error("{reason}; check that {address} runs and can be reached")]
    Ping {
        /// What happened.
        reason: String,
        /// Whom we pinged.
        address: String,
    },
    /// The peer that was pinged let us in, and then did not want us.
    #[error("{address} turned this peer away: {reason}")]
    TurnedAway {
        /// What it said.
        reason: String,
        /// Whom we pinged.
        address: String,
    },
    /// The node said no.
    #[error(transparent)]
    Node(#[from] tincan_shared::Error),
}

/// Why lines of chat were not sent, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhyUnsent {
    /// No hub and no member is connected.
    #[error("there is no connection; check the address, or start again when the hub runs")]
    NoConnection,
    /// Nobody else is in the room.
    #[error("nobody is in the room; start again when somebody is there")]
    NobodyThere,
    /// Somebody is there, and took none for too long.
    #[error("nobody took any for 10 s; start again when the hub answers")]
    NotTaken,
    /// Others ignore what is said at such a time.
    #[error(
        "this machine's clock and the hub's differ, so others ignore its lines; set the one that is wrong right, and start again"
    )]
    Clock,
    /// The program was told to end.
    #[error("it was told to end; start it again to send them")]
    Stopped,
    /// They break a limit.
    #[error("they break a limit, see above; send them in parts")]
    Refused,
}

fn lines_were(count: &usize) -> String {
    if *count == 1 { "1 line was".to_owned() } else { format!("{count} lines were") }
}

/// What to do about a file that the system refuses.
fn remedy(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => "check its permissions, or give another --data-dir",
        Kind::StorageFull | Kind::QuotaExceeded => "make space on its disk, or give another --data-dir",
        Kind::ReadOnlyFilesystem => "mount its file system for writing, or give another --data-dir",
        Kind::NotADirectory | Kind::IsADirectory | Kind::AlreadyExists => {
            "move away what stands in its place, or give another --data-dir"
        }
        _ => "check its file system, or give another --data-dir",
    }
}

impl Error {
    /// 2 for what was asked wrongly, 1 for what failed.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        use tincan_shared::Error as Node;
        match self {
            Self::Usage(_) | Self::Config { .. } | Self::Page { .. } => 2,
            Self::Node(
                Node::Setting { .. }
                | Node::Nick { .. }
                | Node::NickBlank
                | Node::RoomName { .. }
                | Node::Address { .. },
            ) => 2,
            _ => 1,
        }
    }
}
