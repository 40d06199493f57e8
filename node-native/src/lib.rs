//! Tincan on a machine of your own: the native host of the node, and the binary `tincan`.
//!
//! | file | what lives there |
//! |---|---|
//! | [`args`], `environment` | the command line; its environment variables |
//! | [`settings`], [`config_file`] | flag over environment over file over default |
//! | [`addresses`], [`interfaces`] | default addresses, what can be dialled, whether a port is free; this machine's own |
//! | [`datadir`], [`keyfile`], [`certificate`], [`storage`] | what is kept on disk |
//! | [`transport`], [`graceful_close`], [`host`], [`discovery`] | what this host hands the node |
//! | [`dialling`], `tls` | names looked up, addresses tried side by side; whose certificates are trusted |
//! | [`session`] | all of that put together: a running node |
//! | [`command`] | one file per subcommand |
//! | [`editor`], [`stdin`] | lines that are typed, lines that are piped |
//! | [`signals`], [`hangup`] | being asked to end; a terminal that is gone |
//! | [`http`] | the page, the API, and what keeps strangers from holding connections |
//! | [`error`], [`output`], [`log`] | the one line on stderr and the exit status; the log |

#![deny(missing_docs)]

pub mod addresses;
pub mod args;
pub mod certificate;
pub mod command;
pub mod config_file;
pub mod datadir;
pub mod dialling;
pub mod discovery;
pub mod editor;
mod environment;
pub mod error;
pub mod floodsub;
pub mod graceful_close;
pub mod hangup;
pub mod host;
pub mod http;
pub mod interfaces;
pub mod keyfile;
pub mod log;
pub mod names;
pub mod output;
pub mod session;
pub mod settings;
pub mod signals;
pub mod stdin;
pub mod storage;
mod tls;
pub mod transport;

pub use error::Error;
