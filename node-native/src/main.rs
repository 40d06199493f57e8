//! The binary `tincan`: reads what it was asked, and calls.

use std::{ffi::OsString, process::ExitCode};

use tincan_node::{args, command, output};

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let done = match args::parse(given) {
        Ok(args::Parsed::Run(args)) => command::run(*args),
        Ok(args::Parsed::Show(text)) => output::bytes(text.as_bytes()),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(error.exit_status())
        }
    }
}
