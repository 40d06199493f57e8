//! Records and providers, put on the one side and found on the other.

use std::time::Instant;

use crate::{
    Transport,
    go::Go,
    place::{Known, LOOPBACK},
    support::PATIENCE,
};

/// Keys that both sides announce: any of ours as it is, and a CID's multihash where that is text, as the identity
/// hash of a short text is.
const KEYS: [&str; 2] = ["motto", "\0\x05motto"];

/// A `tincan kv` that can be dialled over TCP, where the address to dial follows.
pub(crate) fn store() -> String {
    format!("kv --listen {}", Transport::Tcp.listen(LOOPBACK))
}

/// What one puts the other gets.
#[track_caller]
pub(crate) fn exchange(kv: &mut Known, go: &mut Go) {
    assert_eq!(ask(kv, "PUT ours live and let live"), "stored ours on 1 peer");
    assert_eq!(go.ask("get ours"), "ours = live and let live");
    assert_eq!(go.ask("put theirs läbe und läbe laa"), "put theirs");
    assert_eq!(ask(kv, "GET theirs"), "theirs = läbe und läbe laa");
    assert_eq!(ask(kv, "GET nobodys"), "not found: nobodys");
    let missing = go.answer("get nobodys");
    assert!(missing.contains("not found"), "{missing}");
}

/// What one provides the other finds.
#[track_caller]
pub(crate) fn exchange_providers(kv: &mut Known, go: &mut Go) {
    for key in KEYS {
        let provided = ask(kv, &format!("PUT_PROVIDER {key}"));
        assert!(provided.starts_with("providing ") && provided.ends_with(", told 1 peer"), "{provided}");
        let in_hex = hex::encode(key);
        go.ask_until(&format!("providers {in_hex}"), &format!("1 providers: {}", kv.id));
        assert_eq!(go.ask(&format!("provide {in_hex}")), format!("providing {in_hex}"));
        finds_provider(kv, key, &go.id);
    }
}

/// Asks until it does: telling of a provider has no answer, so it may still be under way.
#[track_caller]
fn finds_provider(kv: &mut Known, key: &str, id: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = ask(kv, &format!("GET_PROVIDERS {key}"));
        if found.contains(id) {
            return;
        }
        assert!(Instant::now() < until, "{id} is not among {found}");
    }
}

/// One line in, one line out.
#[track_caller]
fn ask(kv: &mut Known, line: &str) -> String {
    kv.running.line(line);
    kv.running.out.next()
}
