//! Writes a target's examples into a folder, for libFuzzer to start from: `fuzz-examples TARGET FOLDER`. Without words
//! it names the targets, a line each.

use std::{env, fs, path::PathBuf, process::ExitCode};

use tincan_fuzz::TARGETS;

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    let (name, folder) = (words.next(), words.next().map(PathBuf::from));
    if name.is_none() {
        TARGETS.iter().for_each(|target| println!("{}", target.name));
        return ExitCode::SUCCESS;
    }
    let (Some(name), Some(folder)) = (name, folder) else {
        eprintln!("usage: fuzz-examples TARGET FOLDER");
        return ExitCode::from(2);
    };
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        eprintln!("error: no target is called {name}; there are {TARGETS:?}");
        return ExitCode::from(2);
    };
    let write = |(number, bytes): (usize, Vec<u8>)| fs::write(folder.join(format!("example-{number}")), bytes);
    match fs::create_dir_all(&folder).and_then(|()| (target.examples)().into_iter().enumerate().try_for_each(write)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write into {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}
