//! Flag over environment over file over default.

use std::{path::PathBuf, time::Duration};

use libp2p::Multiaddr;
use tincan_shared::{Config, IpNet, Rules};

use crate::{
    Error,
    args::{Args, Command},
    config_file::{ConfigFile, Denied, LimitsTable},
    names::tidy,
};

/// Where page and API are served by default: on all addresses of this machine, those of IPv4 too.
pub const DEFAULT_HTTP: &str = "[::]:8747";
/// The room of those who name none.
pub const DEFAULT_ROOM: &str = "lobby";
/// How long a peer that says nothing counts as being on the local network.
pub const DEFAULT_MDNS_TTL: Duration = Duration::from_secs(6 * 60);
/// Below it mDNS would ask the network more than once a second.
const MIN_MDNS_TTL_SECS: u64 = 3;
/// RFC 6762 knows no longer time to live than 32 bits of seconds; a day is plenty.
const MAX_MDNS_TTL_SECS: u64 = 24 * 3600;

/// Everything that was asked for, from wherever.
#[derive(Debug)]
pub struct Settings {
    /// The data directory, when somebody named one.
    pub data_dir: Option<PathBuf>,
    /// Keep nothing on disk. Defaults to false.
    pub ephemeral: bool,
    /// Where to listen, when somebody said so.
    pub listen: Option<Vec<Multiaddr>>,
    /// What to announce. Defaults to nothing.
    pub external: Vec<Multiaddr>,
    /// Whom to stay connected to, addresses of the command included. Defaults to nobody.
    pub bootstrap: Vec<Multiaddr>,
    /// Whether to look for peers on the local network. Defaults to true.
    pub mdns: bool,
    /// See [`DEFAULT_MDNS_TTL`].
    pub mdns_ttl: Duration,
    /// Whether to bridge rooms to floodsub. Defaults to false.
    pub floodsub: bool,
    /// Kademlia's protocol. Defaults to the node's.
    pub kad_protocol: Option<String>,
    /// See [`DEFAULT_HTTP`].
    pub http: String,
    /// A folder to serve as the page. Defaults to the page that was built in.
    pub page: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed, and for which no bound by address holds. Defaults to none.
    pub trusted_proxy: Vec<IpNet>,
    /// See [`DEFAULT_ROOM`]. In its normal form, as everybody who types this name gets it.
    pub room: String,
    /// The room's name letter by letter.
    pub typed_room: String,
    /// Whether the room is another program's: raw text only. Defaults to false.
    pub plain: bool,
    /// The nick. Defaults to the stored one.
    pub nick: Option<String>,
    /// Whether `kv` writes values as bytes. Defaults to false.
    pub raw: bool,
    /// After how many replies `ping` ends. Defaults to never.
    pub count: Option<u64>,
    /// How much more to log. Defaults to 0.
    pub verbose: u8,
    /// Log errors only. Defaults to false.
    pub quiet: bool,
    /// Refused peers and addresses. Defaults to none.
    pub deny: Denied,
    /// Changed bounds. Defaults to none.
    pub limits: LimitsTable,
}

impl Settings {
    /// Merges what was given with the config file it names.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn merge(args: &Args) -> Result<Self, Error> {
        let file = match &args.common.config {
            Some(path) => ConfigFile::read(path)?,
            None => ConfigFile::default(),
        };
        let mdns_ttl = mdns_ttl(args, &file)?;
        let common = &args.common;
        let (room, plain, nick, raw, addresses) = match &args.command {
            Some(Command::Chat(chat)) => {
                (chat.room.clone(), chat.plain, chat.nick.clone(), None, chat.addresses.clone())
            }
            Some(Command::Kv(kv)) => (None, None, None, kv.raw, kv.addresses.clone()),
            _ => (None, None, None, None, Vec::new()),
        };
        let typed_count = if let Some(Command::Ping(ping)) = &args.command { ping.count } else { None };
        let mut bootstrap = common.bootstrap.clone().or(file.bootstrap).unwrap_or_default();
        bootstrap.extend(addresses);
        let typed_room = room.or(file.room).unwrap_or_else(|| DEFAULT_ROOM.to_owned());
        Ok(Self {
            data_dir: common.data_dir.clone().or(file.data_dir),
            ephemeral: common.ephemeral.or(file.ephemeral).unwrap_or(false),
            listen: common.listen.clone().or(file.listen),
            external: common.external.clone().or(file.external).unwrap_or_default(),
            bootstrap,
            mdns: !common.no_mdns.or(file.no_mdns).unwrap_or(false),
            mdns_ttl,
            floodsub: common.floodsub.or(file.floodsub).unwrap_or(false),
            kad_protocol: common.kad_protocol.clone().or(file.kad_protocol),
            http: args.serve.http.clone().or(file.http).unwrap_or_else(|| DEFAULT_HTTP.to_owned()),
            page: args.serve.page.clone().or(file.page),
            trusted_proxy: args.serve.trusted_proxy.clone().or(file.trusted_proxy).unwrap_or_default(),
            room: tidy(&typed_room),
            typed_room,
            plain: plain.or(file.plain).unwrap_or(false),
            nick: nick.or(file.nick).map(|nick| tidy(&nick)),
            raw: raw.or(file.raw).unwrap_or(false),
            count: typed_count.or(file.count.map(Into::into)),
            verbose: if common.verbose > 0 { common.verbose } else { file.verbose.unwrap_or(0) },
            quiet: common.quiet.or(file.quiet).unwrap_or(false),
            deny: file.deny,
            limits: file.limits,
        })
    }

    /// Puts the settings over a node's defaults; where to listen is the caller's.
    #[must_use]
    pub fn apply(&self, mut config: Config) -> Config {
        config.external.clone_from(&self.external);
        config.bootstrap.clone_from(&self.bootstrap);
        config.nick.clone_from(&self.nick);
        config.deny.clone_from(&self.deny.peers);
        config.deny_ranges.clone_from(&self.deny.ranges);
        config.trusted_proxies.clone_from(&self.trusted_proxy);
        if let Some(protocol) = &self.kad_protocol {
            config.kad_protocol.clone_from(protocol);
        }
        self.limits.apply(&mut config.limits);
        config
    }
}

impl Settings {
    /// What of these settings a running hub takes anew, over a hub's defaults.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let Config { deny, deny_ranges, limits, .. } = self.apply(Config::hub());
        Rules { deny, deny_ranges, limits }
    }

    /// Names of the settings that differ from `other` and that only a new start can change.
    #[must_use]
    pub fn fixed_changes(&self, other: &Self) -> Vec<&'static str> {
        let pairs = [
            ("data_dir", self.data_dir == other.data_dir),
            ("ephemeral", self.ephemeral == other.ephemeral),
            ("listen", self.listen == other.listen),
            ("external", self.external == other.external),
            ("bootstrap", self.bootstrap == other.bootstrap),
            ("no_mdns", self.mdns == other.mdns),
            ("mdns_ttl_secs", self.mdns_ttl == other.mdns_ttl),
            ("floodsub", self.floodsub == other.floodsub),
            ("kad_protocol", self.kad_protocol == other.kad_protocol),
            ("http", self.http == other.http),
            ("page", self.page == other.page),
            ("trusted_proxy", self.trusted_proxy == other.trusted_proxy),
        ];
        pairs.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

fn mdns_ttl(args: &Args, file: &ConfigFile) -> Result<Duration, Error> {
    match file.mdns_ttl_secs {
        None => Ok(DEFAULT_MDNS_TTL),
        Some(secs) if (MIN_MDNS_TTL_SECS..=MAX_MDNS_TTL_SECS).contains(&secs) => Ok(Duration::from_secs(secs)),
        Some(secs) => Err(Error::Config {
            path: args.common.config.clone().unwrap_or_default(),
            reason: format!("mdns_ttl_secs is {secs}, it must be {MIN_MDNS_TTL_SECS} to {MAX_MDNS_TTL_SECS}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::args::{self, Parsed};

    fn settings(file: &str, flags: &[&str]) -> Result<Settings, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tincan.toml");
        fs::write(&path, file).unwrap();
        let given = [&["tincan", "--config", path.to_str().unwrap()], flags].concat();
        match args::parse(given).unwrap() {
            Parsed::Run(args) => Settings::merge(&args),
            Parsed::Show(_) => panic!("help"),
        }
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let file = "listen = [\"/ip4/127.0.0.1/tcp/1\"]\nno_mdns = true\nmdns_ttl_secs = 5\nroom = \"den\"\n\
                    [limits]\ncircuits = 7\ncarry_linger_secs = 9\n";
        let got = settings(file, &["chat", "--room", "attic", "--no-mdns=false", "/ip4/1.2.3.4/tcp/5"]).unwrap();
        assert_eq!(got.room, "attic");
        assert!(got.mdns);
        assert_eq!(got.mdns_ttl, Duration::from_secs(5));
        assert_eq!(got.http, DEFAULT_HTTP);
        assert_eq!(got.bootstrap.len(), 1);
        let config = got.apply(Config::hub());
        assert_eq!((config.limits.circuits, config.limits.carry_linger), (7, Duration::from_secs(9)));
        assert_eq!(settings(file, &["chat"]).unwrap().room, "den");
        let typed = settings("room = \"cafe\u{301} \"", &["chat", "--nick", " ren\u{e9}"]).unwrap();
        assert_eq!((typed.room.as_str(), typed.typed_room.as_str()), ("caf\u{e9}", "cafe\u{301} "));
        assert_eq!(typed.nick.as_deref(), Some("ren\u{e9}"));
        assert!(!settings(file, &[]).unwrap().mdns);
    }

    #[test]
    fn every_flag_is_a_key_of_the_file() {
        use clap::CommandFactory;
        let command = Args::command();
        let all = command.get_arguments().chain(command.get_subcommands().flat_map(clap::Command::get_arguments));
        let flags: Vec<String> = all.filter_map(|arg| Some(arg.get_long()?.replace('-', "_"))).collect();
        assert!(flags.len() > 15, "{flags:?}");
        for flag in flags.iter().filter(|flag| *flag != "config") {
            // A value of no flag's type, so that each key is refused: for its value, if it is known.
            let error = settings(&format!("{flag} = 1979-05-27\n"), &[]).unwrap_err().to_string();
            assert!(!error.contains("unknown field") && error.contains("line 1"), "{flag}: {error}");
        }
        assert_eq!(settings("count = 3\n", &["ping", "/ip4/1.2.3.4/tcp/5"]).unwrap().count, Some(3));
        assert_eq!(settings("count = 3\n", &["ping", "/ip4/1.2.3.4/tcp/5", "-c", "4"]).unwrap().count, Some(4));
    }

    #[test]
    fn a_wrong_file_is_named_with_the_line() {
        for (file, part) in [
            ("count = 0\n", "line 1: "),
            ("room = \"a\"\nnonsense = 1\n", "line 2: unknown field `nonsense`"),
            ("listen = [\"nonsense\"]\n", "line 1: nonsense: "),
            ("deny = [\"nobody\"]\n", "nobody: it is no peer id"),
            ("deny = [\"192.0.2.0/33\"]\n", "192.0.2.0/33: it is no peer id, address or range"),
            ("[limits]\ncircuits = -1\n", "line 2: "),
            ("mdns_ttl_secs = 0\n", "mdns_ttl_secs is 0"),
            ("= broken", "line 1: "),
        ] {
            let error = settings(file, &[]).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
