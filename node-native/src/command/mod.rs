//! One file per subcommand.

mod chat;
mod id;
mod kv;
mod ping;
mod report;
mod serve;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::{
    Error,
    args::{Args, Command},
    settings::Settings,
    signals::Stop,
    transport,
};

/// Does what the command line asks.
///
/// # Errors
/// Whatever ended it early.
pub fn run(args: Args) -> Result<(), Error> {
    let settings = Settings::merge(&args)?;
    let hub = matches!(args.command, None | Some(Command::Serve(_)));
    log(&settings, hub);
    if matches!(args.command, Some(Command::Id)) {
        return id::run(&settings);
    }
    transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::SetUp { what: "the runtime", reason: error.to_string() })?;
    let done = runtime.block_on(async {
        let stop = Stop::new(hub)?;
        match args.command {
            None | Some(Command::Serve(_)) => serve::run(&args, settings, stop).await,
            Some(Command::Chat(_)) => chat::run(&settings, stop).await,
            Some(Command::Kv(_)) => kv::run(&settings, stop).await,
            Some(Command::Ping(ping)) => ping::run(settings, ping, stop).await,
            Some(Command::Id) => id::run(&settings),
        }
    });
    // Open connections and a read from the terminal end with the process.
    runtime.shutdown_background();
    done
}

/// Logs to stderr. `RUST_LOG` wins; a hub tells how it fares, a terminal only what goes wrong.
fn log(settings: &Settings, hub: bool) {
    let default = match (settings.quiet, settings.verbose, hub) {
        (true, ..) => "error",
        (_, 0, true) => "warn,libp2p_kad=error,tincan=info,tincan_node=info,tincan_shared=info",
        (_, 0, false) => "error,tincan_node=warn,tincan_shared=warn",
        (_, 1, _) => "info,tincan=debug,tincan_node=debug,tincan_shared=debug",
        (_, 2, _) => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    // An error means that a logger is installed already, as in tests.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // Whoever closes stderr loses the log, not the node.
        .log_internal_errors(false)
        .try_init();
}
