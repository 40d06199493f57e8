use super::*;

fn run(line: &str) -> Args {
    match parse(line.split(' ')) {
        Ok(Parsed::Run(args)) => *args,
        other => panic!("{line}: {other:?}"),
    }
}

fn wrong(line: &str) -> String {
    match parse(line.split(' ')) {
        Err(Error::Usage(text)) => text,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn serve_is_what_happens_without_a_command() {
    let args = run("tincan --http 127.0.0.1:0 --no-mdns");
    assert!(args.command.is_none());
    assert_eq!(args.serve.http.as_deref(), Some("127.0.0.1:0"));
    assert_eq!(args.common.no_mdns, Some(true));
    assert_eq!(run("tincan --http h:1 serve").serve.http.as_deref(), Some("h:1"));
    assert_eq!(run("tincan --http h:1 serve --http h:2").serve.http.as_deref(), Some("h:2"));
}

#[test]
fn common_flags_stand_before_and_after_the_command() {
    for line in [
        "tincan --ephemeral -q --listen /ip4/1.2.3.4/tcp/1 chat",
        "tincan chat --ephemeral -q --listen /ip4/1.2.3.4/tcp/1",
    ] {
        let common = run(line).common;
        assert_eq!((common.ephemeral, common.quiet), (Some(true), Some(true)), "{line}");
        assert_eq!(common.listen.map(|all| all.len()), Some(1), "{line}");
    }
    assert_eq!(run("tincan --no-mdns=false chat").common.no_mdns, Some(false));
    assert_eq!(run("tincan -vv chat").common.verbose, 2);
}

#[test]
fn repeatable_flags_repeat() {
    let args = run("tincan --bootstrap /ip4/1.2.3.4/tcp/1 --bootstrap /dns4/hub.test/tcp/2/ws");
    assert_eq!(args.common.bootstrap.map(|all| all.len()), Some(2));
}

#[test]
fn trusted_proxies_are_addresses_and_ranges() {
    for line in [
        "tincan --trusted-proxy 192.0.2.1,10.0.0.0/8 --trusted-proxy 2001:db8::/32",
        "tincan --trusted-proxy 192.0.2.1,10.0.0.0/8,2001:db8::/32 serve",
        "tincan serve --trusted-proxy 192.0.2.1 --trusted-proxy 10.0.0.0/8 --trusted-proxy 2001:db8::/32",
    ] {
        let ranges: Vec<String> = run(line).serve.trusted_proxy.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(ranges, ["192.0.2.1/32", "10.0.0.0/8", "2001:db8::/32"], "{line}");
    }
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    for (line, start) in [
        ("tincan --nonsense", "unknown argument --nonsense;"),
        ("tincan nonsense", "unknown command nonsense;"),
        ("tincan ping", "missing <ADDR>;"),
        ("tincan ping nonsense", "nonsense is no value for <ADDR>: "),
        ("tincan ping /ip4/1.2.3.4/tcp/1 -c 0", "0 is no value for --count <COUNT>: "),
        ("tincan --listen /ip4/0.0.0.0", "/ip4/0.0.0.0 is no value for --listen <MULTIADDR>: "),
        (
            "tincan --trusted-proxy=",
            "the value of --trusted-proxy <RANGE> is empty: write an address like 192.0.2.1 or",
        ),
        ("tincan --trusted-proxy 192.0.2.1,,", "the value of --trusted-proxy <RANGE> is empty: "),
        ("tincan --trusted-proxy proxy", "proxy is no value for --trusted-proxy <RANGE>: write an address like"),
        ("tincan --listen", "--listen <MULTIADDR> needs a value;"),
        ("tincan --http 80", "80 is no value for --http <HOST:PORT>: "),
        ("tincan --no-mdns=maybe", "maybe is no value for --no-mdns"),
        ("tincan --http h:1 chat", "--http belongs to tincan serve;"),
        ("tincan --quiet --quiet", "the argument '--quiet[=<BOOL>]' cannot be used multiple times;"),
    ] {
        let text = wrong(line);
        assert!(text.starts_with(start) && !text.contains('\n') && text.contains("; "), "{line}: {text}");
    }
}

/// A command line in an environment.
fn run_in(line: &str, variables: &[(&str, &str)]) -> Result<Args, String> {
    let value = |name: &OsStr| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    match parse_in(line.split(' '), value) {
        Ok(Parsed::Run(args)) => Ok(*args),
        Ok(Parsed::Show(text)) => panic!("{line}: {text}"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn every_variable_may_be_empty_or_have_space_around_it() {
    let command = Args::command();
    let all = command.get_arguments().chain(command.get_subcommands().flat_map(clap::Command::get_arguments));
    let names: Vec<&str> = all.filter_map(|arg| arg.get_env()?.to_str()).collect();
    assert!(names.len() > 15, "{names:?}");
    for line in ["tincan", "tincan serve", "tincan chat", "tincan kv", "tincan ping /ip4/1.2.3.4/tcp/1"] {
        for empty in ["", " ", "\r", " \t\r\n", ","] {
            let variables: Vec<_> = names.iter().map(|name| (*name, empty)).collect();
            match run_in(line, &variables) {
                Ok(args) => assert_eq!(format!("{args:?}"), format!("{:?}", run(line)), "{line} {empty:?}"),
                // A comma is something where no list is wanted.
                Err(error) => {
                    assert!(empty == "," && error.starts_with(", is no value for TINCAN_"), "{line}: {error}")
                }
            }
        }
    }
    let args = run_in(
        "tincan",
        &[
            ("TINCAN_HTTP", " 127.0.0.1:0\r"),
            ("TINCAN_LISTEN", " /ip4/1.2.3.4/tcp/1 ,, /ip4/1.2.3.4/tcp/2/ws,\r"),
            ("TINCAN_EPHEMERAL", "yes\r"),
            ("TINCAN_VERBOSE", " 2 "),
            ("TINCAN_DATA_DIR", " /tmp/a b \r\n"),
            ("TINCAN_TRUSTED_PROXY", "192.0.2.1, 10.0.0.0/8,"),
        ],
    );
    let args = args.unwrap();
    assert_eq!(args.serve.http.as_deref(), Some("127.0.0.1:0"));
    assert_eq!(
        (args.common.listen.map(|all| all.len()), args.serve.trusted_proxy.map(|all| all.len())),
        (Some(2), Some(2))
    );
    assert_eq!((args.common.ephemeral, args.common.verbose), (Some(true), 2));
    assert_eq!(args.common.data_dir.as_deref(), Some(std::path::Path::new("/tmp/a b")));
}

#[test]
fn what_is_typed_wins_over_a_variable_and_an_error_names_the_variable() {
    let http = |line: &str| run_in(line, &[("TINCAN_HTTP", "h:1")]).unwrap().serve.http;
    assert_eq!(http("tincan").as_deref(), Some("h:1"));
    assert_eq!(http("tincan serve").as_deref(), Some("h:1"));
    assert_eq!(http("tincan --http h:2 serve").as_deref(), Some("h:2"));
    assert_eq!(http("tincan serve --http h:2").as_deref(), Some("h:2"));
    assert_eq!(http("tincan chat"), None, "a hub's variable in a terminal's environment is no error");
    let Ok(Args { command: Some(Command::Chat(chat)), .. }) =
        run_in("tincan chat -- /ip4/1.2.3.4/tcp/1", &[("TINCAN_ROOM", "den"), ("TINCAN_NICK", "--ann")])
    else {
        panic!("no chat")
    };
    assert_eq!((chat.room.as_deref(), chat.nick.as_deref(), chat.addresses.len()), (Some("den"), Some("--ann"), 1));
    assert_eq!(run_in("tincan -v chat", &[("TINCAN_VERBOSE", "7")]).unwrap().common.verbose, 1);
    for (line, variable, value, start) in [
        ("tincan", "TINCAN_LISTEN", "nonsense", "nonsense is no value for TINCAN_LISTEN: "),
        ("tincan chat", "TINCAN_EPHEMERAL", "maybe", "maybe is no value for TINCAN_EPHEMERAL"),
        ("tincan serve", "TINCAN_HTTP", "80", "80 is no value for TINCAN_HTTP: "),
        ("tincan", "TINCAN_VERBOSE", "much", "much is no value for TINCAN_VERBOSE: "),
        ("tincan ping /ip4/1.2.3.4/tcp/1", "TINCAN_COUNT", "0", "0 is no value for TINCAN_COUNT: "),
    ] {
        let error = run_in(line, &[(variable, value)]).unwrap_err();
        assert!(error.starts_with(start) && error.contains("; ") && !error.contains('\n'), "{line}: {error}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    assert!(matches!(parse(["tincan", "--help"]), Ok(Parsed::Show(_))));
    assert!(matches!(parse(["tincan", "chat", "--help"]), Ok(Parsed::Show(_))));
    assert!(matches!(parse(["tincan", "--version"]), Ok(Parsed::Show(text)) if text.starts_with("tincan ")));
}
