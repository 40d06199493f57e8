//! One file per subcommand.

mod chat;
mod id;
mod kv;
mod ping;
mod report;
mod serve;

use crate::{
    Error,
    args::{Args, Command},
    log,
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
    log::install(&settings, hub);
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
