//! The command line and its environment variables.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::{
    ArgMatches, Args as Flags, CommandFactory, FromArgMatches, Parser, Subcommand,
    builder::BoolishValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};
use libp2p::Multiaddr;
use tincan_shared::IpNet;

use crate::{Error, addresses, environment};

/// Peer-to-peer chat and records. Without a command it runs a hub.
#[derive(Debug, Parser)]
#[command(name = "tincan", version, disable_help_subcommand = true)]
pub struct Args {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What `serve` takes, given before it or without it.
    #[command(flatten)]
    pub serve: Serve,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a hub: page, relay, bootstrap
    Serve(Serve),
    /// Chat in a room: lines from stdin are sent, messages come on stdout
    Chat(Chat),
    /// Store and find records: one line on stdin, one answer on stdout
    Kv(Kv),
    /// Measure the time to a peer and back
    Ping(Ping),
    /// Print this node's peer id
    Id,
}

/// Flags of every command.
#[derive(Debug, Flags)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Where key, certificate and history are kept [default: $XDG_DATA_HOME/tincan or ~/.local/share/tincan]
    #[arg(long, global = true, env = "TINCAN_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep nothing on disk; wins over --data-dir
    #[arg(long, global = true, env = "TINCAN_EPHEMERAL", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub ephemeral: Option<bool>,
    /// Listen here instead of on the defaults; repeatable
    #[arg(long, global = true, env = "TINCAN_LISTEN", value_name = "MULTIADDR", value_delimiter = ',',
          value_parser = addresses::parse_listen)]
    pub listen: Option<Vec<Multiaddr>>,
    /// Announce this address, for a host behind a port mapping; repeatable
    #[arg(long, global = true, env = "TINCAN_EXTERNAL", value_name = "MULTIADDR", value_delimiter = ',',
          value_parser = addresses::parse_external)]
    pub external: Option<Vec<Multiaddr>>,
    /// Stay connected to this hub; repeatable
    #[arg(long, global = true, env = "TINCAN_BOOTSTRAP", value_name = "MULTIADDR", value_delimiter = ',',
          value_parser = addresses::parse_dial)]
    pub bootstrap: Option<Vec<Multiaddr>>,
    /// Do not look for peers on the local network
    #[arg(long, global = true, env = "TINCAN_NO_MDNS", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub no_mdns: Option<bool>,
    /// Also speak floodsub, and bring lines of a room to and from its peers there
    #[arg(long, global = true, env = "TINCAN_FLOODSUB", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub floodsub: Option<bool>,
    /// Kademlia protocol name [default: /tincan/kad/1.0.0]
    #[arg(long, global = true, env = "TINCAN_KAD_PROTOCOL", value_name = "NAME")]
    pub kad_protocol: Option<String>,
    /// Read settings from this TOML file; flags and environment win over it
    #[arg(long, global = true, env = "TINCAN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Log more; repeatable
    #[arg(long, short, global = true, env = "TINCAN_VERBOSE", action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say only what was asked for, and errors
    #[arg(long, short, global = true, env = "TINCAN_QUIET", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub quiet: Option<bool>,
}

/// Flags of `serve`.
#[derive(Debug, Default, Flags)]
pub struct Serve {
    /// Where page and API are served.
    #[arg(long, env = "TINCAN_HTTP", value_name = "HOST:PORT", value_parser = parse_http,
          help = "Serve page and API here [default: [::]:8747, all IPv6 and IPv4 addresses]")]
    pub http: Option<String>,
    /// Serve this folder as the page instead of the one built in
    #[arg(long, env = "TINCAN_PAGE", value_name = "DIR")]
    pub page: Option<PathBuf>,
    /// An HTTP proxy in front of this hub, or a network of many people behind one address: an address or a range such
    /// as 192.0.2.0/24. Its X-Forwarded-For is believed, and no bound by address holds for it; repeatable
    #[arg(long, env = "TINCAN_TRUSTED_PROXY", value_name = "RANGE", value_delimiter = ',',
          value_parser = addresses::parse_range)]
    pub trusted_proxy: Option<Vec<IpNet>>,
}

/// Flags of `chat`.
#[derive(Debug, Flags)]
pub struct Chat {
    /// The room [default: lobby]
    #[arg(long, env = "TINCAN_ROOM", value_name = "ROOM")]
    pub room: Option<String>,
    /// The room is another program's: raw text only, no frame ever
    #[arg(long, env = "TINCAN_PLAIN", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub plain: Option<bool>,
    /// The name others see [default: the last one used]
    #[arg(long, env = "TINCAN_NICK", value_name = "NICK")]
    pub nick: Option<String>,
    /// Peers or hubs to connect to
    #[arg(value_name = "ADDR", value_parser = addresses::parse_dial)]
    pub addresses: Vec<Multiaddr>,
}

/// Flags of `kv`.
#[derive(Debug, Flags)]
pub struct Kv {
    /// Write the bytes of found values to stdout as they are, with nothing between or after them; all other answers go
    /// to stderr, and a key that is not found counts as an error
    #[arg(long, env = "TINCAN_RAW", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub raw: Option<bool>,
    /// Peers or hubs to connect to
    #[arg(value_name = "ADDR", value_parser = addresses::parse_dial)]
    pub addresses: Vec<Multiaddr>,
}

/// Arguments of `ping`.
#[derive(Debug, Flags)]
pub struct Ping {
    /// Whom to ping
    #[arg(value_name = "ADDR", value_parser = addresses::parse_dial)]
    pub address: Multiaddr,
    /// End after this many replies [default: go on until interrupted]
    #[arg(long, short, env = "TINCAN_COUNT", value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// A command line, understood.
#[derive(Debug)]
pub enum Parsed {
    /// Something to do.
    Run(Box<Args>),
    /// Help or version to print.
    Show(String),
}

/// Understands a command line, program name first, and the environment.
///
/// # Errors
/// [`Error::Usage`], in one line.
pub fn parse<I>(given: I) -> Result<Parsed, Error>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    parse_in(given, |name| std::env::var_os(name))
}

fn parse_in<I>(given: I, variable: impl Fn(&OsStr) -> Option<OsString>) -> Result<Parsed, Error>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let given: Vec<OsString> = given.into_iter().map(Into::into).collect();
    let command = Args::command();
    let understand = |given: &[OsString]| environment::ignored(command.clone()).try_get_matches_from(given);
    let typed = match understand(&given) {
        Ok(typed) => typed,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // By the command that shows which variables there are.
            let shown = command.try_get_matches_from(given).err().unwrap_or(error);
            return Ok(Parsed::Show(shown.render().to_string()));
        }
        Err(error) => return Err(Error::Usage(one_line(&error, None))),
    };
    // Before the variables, whose flags are where `serve` may not stand.
    place_serve(&typed, &mut from(&typed)?).map_err(|error| Error::Usage(one_line(&error, None)))?;
    let serve_only = Serve::augment_args(clap::Command::new("serve"));
    let whole = environment::fill_in(&command, &serve_only, &given, &typed, variable).map_err(Error::Usage)?;
    let matches = understand(&whole).map_err(|error| Error::Usage(one_line(&error, Some(&command))))?;
    let mut args = from(&matches)?;
    place_serve(&matches, &mut args).map_err(|error| Error::Usage(one_line(&error, None)))?;
    Ok(Parsed::Run(Box::new(args)))
}

fn from(matches: &ArgMatches) -> Result<Args, Error> {
    Args::from_arg_matches(matches).map_err(|error| Error::Usage(one_line(&error, None)))
}

/// The flags of `serve` may stand before it, and mean nothing to another command.
fn place_serve(matches: &ArgMatches, args: &mut Args) -> Result<(), clap::Error> {
    let typed = |matches: &ArgMatches, name| matches.value_source(name) == Some(ValueSource::CommandLine);
    // The value after `serve` wins, unless it comes from the environment and another was typed before `serve`.
    let inner_wins =
        |name| matches.subcommand_matches("serve").is_some_and(|inner| typed(inner, name)) || !typed(matches, name);
    match &mut args.command {
        None => {}
        Some(Command::Serve(serve)) => {
            if inner_wins("http") {
                args.serve.http = serve.http.take();
            }
            if inner_wins("page") {
                args.serve.page = serve.page.take();
            }
            if inner_wins("trusted_proxy") {
                args.serve.trusted_proxy = serve.trusted_proxy.take();
            }
        }
        Some(_) => {
            for (name, flag) in [("http", "--http"), ("page", "--page"), ("trusted_proxy", "--trusted-proxy")] {
                if typed(matches, name) {
                    let told = format!("{flag} belongs to tincan serve; leave it out");
                    return Err(clap::Error::raw(ErrorKind::ArgumentConflict, told));
                }
            }
        }
    }
    Ok(())
}

pub(crate) fn parse_http(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("it is not HOST:PORT, as in 127.0.0.1:8747".to_owned()),
    }
}

/// clap explains itself in paragraphs; scripts and logs want a line. With a command, what is wrong is a variable of it.
fn one_line(error: &clap::Error, command: Option<&clap::Command>) -> String {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let argument = named(ContextKind::InvalidArg);
    let argument = command.and_then(|command| environment::variable(command, &argument)).unwrap_or(argument);
    let value = named(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => format!("unknown argument {argument}; see tincan --help"),
        ErrorKind::InvalidSubcommand => {
            let word = named(ContextKind::InvalidSubcommand);
            format!("unknown command {word}; the commands are serve, chat, kv, ping and id")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} needs a value; see tincan --help"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
            match value.is_empty() {
                true => format!("the value of {argument} is empty{reason}; leave it out, or see tincan --help"),
                false => format!("{value} is no value for {argument}{reason}; see tincan --help"),
            }
        }
        ErrorKind::MissingRequiredArgument => format!("missing {argument}; see tincan --help"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8; write it anew".to_owned(),
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            if first.contains("; ") { first } else { format!("{first}; see tincan --help") }
        }
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
