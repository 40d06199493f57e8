//! An identity leaves a browser as a file, and takes the place of another.

#![allow(clippy::unwrap_used)]

use tincan_shared::{Change, Storage, identity::Keypair};
use tincan_wasm::{
    Passport, Vault, host::Teller, identity::Identity, passport::MAX_FILE_BYTES, storage::Database, vault::install,
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

async fn database(name: &str) -> Database {
    Database::open(&format!("test-{name}-{}", js_sys::Math::random())).await.unwrap()
}

fn passport(nick: &str) -> Passport {
    Passport { keypair: Keypair::generate_ed25519(), nick: nick.into() }
}

fn entry(key: &str, value: &[u8]) -> Change {
    Change { key: key.into(), value: Some(value.to_vec()) }
}

#[wasm_bindgen_test]
fn a_file_gives_back_key_and_nick() {
    let ann = passport("Änn \"of\" the hill");
    let text = ann.write().unwrap();
    assert!(text.len() < MAX_FILE_BYTES);
    let read = Passport::read(&text).unwrap();
    assert_eq!((read.peer_id(), read.nick), (ann.peer_id(), ann.nick));
}

#[wasm_bindgen_test]
fn other_files_are_refused_with_a_reason() {
    let text = passport("ann").write().unwrap();
    let cases = [
        ("", "no Tincan identity"),
        ("[1, 2]", "no Tincan identity"),
        ("\"text\"", "no Tincan identity"),
        (&text[..text.len() / 2], "no Tincan identity"),
        (&text.replace("\"tincan_identity\": 1", "\"tincan_identity\": 2"), "newer Tincan"),
        (&text.replace("secret_key\": \"0", "secret_key\": \"f"), "damaged"),
        (&text.replace("\"peer_id\": \"12", "\"peer_id\": \"13"), "does not belong"),
        (&"x".repeat(MAX_FILE_BYTES + 1), "longer than"),
    ];
    for (text, reason) in cases {
        let refused = Passport::read(text).unwrap_err();
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
    // Of a kind of key that Tincan does not use.
    let secp = "08021220e0a5d0a3c5fd1e9b1c1d0c2b6f4e1a2d3c4b5a69788796a5b4c3d2e1";
    let foreign = text.replace(&text[text.find("secret_key\": \"").unwrap() + 14..text.rfind('"').unwrap()], secp);
    assert!(Passport::read(&foreign).is_err());
}

#[wasm_bindgen_test]
async fn an_exchange_waits_for_the_next_start_and_keeps_rooms_alone() {
    let database = database("exchange").await;
    let before = Identity::load_or_make(&database, 0).await;
    let neighbour = Identity::load_or_make(&database, 1).await;
    let own = |slot| database.journal(slot, &before.keypair.public().to_peer_id());
    let mut writer = database.writer(0, own(0), Teller::default());
    writer.write(vec![
        entry("nick", b"old"),
        entry("frame/6c6f626279/ab", b"frame"),
        entry("waiting/6c6f626279/w", b"x"),
    ]);
    assert!(writer.unwritten().written().await);
    let mut beside = database.writer(1, own(1), Teller::default());
    beside.write(vec![entry("nick", b"beside")]);
    assert!(beside.unwritten().written().await);

    let vault = Vault::new(before.keypair.clone(), Some((database.clone(), 0)));
    let ann = passport("ann");
    let checked = vault.check(&ann.write().unwrap()).await.unwrap();
    vault.replace(&checked).await.unwrap();
    assert_eq!(database.load(0).await.unwrap()["nick"], b"old", "the running node is left alone");

    install(&database, 0).await.unwrap();
    let after = Identity::load_or_make(&database, 0).await;
    assert_eq!(after.keypair.public().to_peer_id(), ann.peer_id());
    let saved = database.load(0).await.unwrap();
    assert_eq!(saved.keys().collect::<Vec<_>>(), ["frame/6c6f626279/ab", "nick"]);
    assert_eq!(saved["nick"], b"ann");
    assert_eq!(database.load(1).await.unwrap()["nick"], b"beside", "other tabs are left alone");
    install(&database, 0).await.unwrap();
    assert_eq!(database.load(0).await.unwrap(), saved, "once");

    // What another tab has, or this one, is refused.
    let vault = Vault::new(after.keypair.clone(), Some((database.clone(), 0)));
    let theirs = Passport { keypair: neighbour.keypair, nick: String::new() };
    let refused = vault.check(&theirs.write().unwrap()).await.unwrap_err();
    assert!(refused.contains("tab number 2"), "{refused}");
    assert!(vault.check(&ann.write().unwrap()).await.unwrap_err().contains("already"));
    // Also when the other tab took it in the meantime.
    vault.replace(&theirs).await.unwrap();
    install(&database, 0).await.unwrap();
    assert_eq!(Identity::load_or_make(&database, 0).await.keypair.public().to_peer_id(), ann.peer_id());
    assert_eq!(database.next(0).await.unwrap(), None);
}

#[wasm_bindgen_test]
async fn where_nothing_is_kept_nothing_is_exchanged() {
    let vault = Vault::new(Keypair::generate_ed25519(), None);
    assert!(vault.export("ann").is_ok());
    assert!(vault.check(&passport("x").write().unwrap()).await.unwrap_err().contains("keeps nothing"));
}
