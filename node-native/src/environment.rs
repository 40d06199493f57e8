//! Flags from `TINCAN_*`, as compose and `.env` files make them: an empty variable is as if unset, white space at the ends
//! (a carriage return too) is nothing, and so is a comma too many.
//!
//! A variable stands for its flag where that was not typed. So the flag is put into the command line, and whatever is wrong
//! then is the variable's fault.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::Resettable, parser::ValueSource};

/// A command that reads no variable by itself.
pub(crate) fn ignored(command: Command) -> Command {
    let ignore = |command: Command| command.mut_args(|arg| arg.env(Resettable::Reset));
    ignore(command).mut_subcommands(ignore)
}

/// The command line with the flags that only variables give. `given` was understood as `matches`; `serve_only` are flags
/// that mean nothing to other commands than `serve`.
///
/// # Errors
/// A variable whose flag is counted, and that is no number.
pub(crate) fn fill_in(
    command: &Command,
    serve_only: &Command,
    given: &[OsString],
    matches: &ArgMatches,
    value: impl Fn(&OsStr) -> Option<OsString>,
) -> Result<Vec<OsString>, String> {
    let name = matches.subcommand_name();
    let serves = name.is_none_or(|name| name == "serve");
    let for_serve = |arg: &&Arg| serve_only.get_arguments().any(|serve| serve.get_id() == arg.get_id());
    let common = command.get_arguments().filter(|arg| serves || !for_serve(arg));
    let own = name.and_then(|name| command.find_subcommand(name)).into_iter().flat_map(Command::get_arguments);
    let own = own.filter(|arg| !for_serve(arg));
    let flags = |all: Vec<&Arg>| {
        let missing = all.into_iter().filter(|arg| !is_typed(matches, arg));
        missing.map(|arg| flag(arg, &value)).collect::<Result<Vec<_>, _>>().map(|flags| flags.concat())
    };
    let (common, own) = (flags(common.collect())?, flags(own.collect())?);
    // What follows `--` is no flag.
    let end = given.iter().position(|word| word == "--").unwrap_or(given.len());
    let (program, rest) = given[..end].split_at(end.min(1));
    Ok([program, &common, rest, &own, &given[end..]].concat())
}

/// The variable of the flag that clap names so.
pub(crate) fn variable(command: &Command, flag: &str) -> Option<String> {
    let mut command = command.clone();
    // Before that a flag does not know how it is shown.
    command.build();
    let all = command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments));
    let named = all.filter(|arg| arg.to_string() == flag).find_map(Arg::get_env);
    named.map(|name| name.to_string_lossy().into_owned())
}

fn is_typed(matches: &ArgMatches, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    let typed = |matches: &ArgMatches| {
        // Asked about a flag that the command does not have, clap panics.
        matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    typed(matches) || matches.subcommand().is_some_and(|(_, inner)| typed(inner))
}

/// The words for a flag whose variable says something.
fn flag(arg: &Arg, value: impl Fn(&OsStr) -> Option<OsString>) -> Result<Vec<OsString>, String> {
    let (Some(name), Some(long)) = (arg.get_env(), arg.get_long()) else { return Ok(Vec::new()) };
    let Some(said) = value(name) else { return Ok(Vec::new()) };
    let bytes = match arg.get_value_delimiter() {
        Some(_) => {
            let items = said.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            items.filter(|item| !item.is_empty()).collect::<Vec<_>>().join(&b',')
        }
        None => said.as_bytes().trim_ascii().to_vec(),
    };
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let long = OsString::from(format!("--{long}"));
    if matches!(arg.get_action(), ArgAction::Count) {
        let text = String::from_utf8_lossy(&bytes);
        let times: u8 = text.parse().map_err(|_| {
            format!("{text} is no value for {}: it is not a number from 0 to 255; see tincan --help", name.display())
        })?;
        return Ok(vec![long; times.into()]);
    }
    Ok(vec![OsString::from_vec([long.as_bytes(), b"=", &bytes].concat())])
}
