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

#[test]
fn help_and_version_are_no_errors() {
    assert!(matches!(parse(["tincan", "--help"]), Ok(Parsed::Show(_))));
    assert!(matches!(parse(["tincan", "chat", "--help"]), Ok(Parsed::Show(_))));
    assert!(matches!(parse(["tincan", "--version"]), Ok(Parsed::Show(text)) if text.starts_with("tincan ")));
}
