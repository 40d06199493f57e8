//! What a page stores is there when it opens again, in order, slot by slot.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use tincan_shared::{Change, PeerId, Saved, Storage, identity::Keypair};
use tincan_wasm::{
    host::Teller,
    identity::Identity,
    storage::{Database, WriteBehind},
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A database of its own for each test and run.
async fn database(name: &str) -> (String, Database) {
    let name = format!("test-{name}-{}", js_sys::Math::random());
    let database = Database::open(&name).await.unwrap();
    (name, database)
}

/// Somebody, the same at each call.
fn owner(seed: u8) -> PeerId {
    Keypair::ed25519_from_bytes([seed; 32]).unwrap().public().to_peer_id()
}

fn writer(database: &Database, slot: u32) -> WriteBehind {
    database.writer(slot, database.journal(slot, &owner(1)), Teller::default())
}

async fn written(writer: &WriteBehind) -> bool {
    writer.unwritten().written().await
}

fn put(key: &str, value: &[u8]) -> Change {
    Change { key: key.into(), value: Some(value.to_vec()) }
}

fn remove(key: &str) -> Change {
    Change { key: key.into(), value: None }
}

#[wasm_bindgen_test]
async fn entries_survive_a_reopening() {
    let (name, first) = database("reopen").await;
    assert!(first.load(0).await.unwrap().is_empty());
    let mut writer = writer(&first, 0);
    writer.write(vec![put("nick", "grün".as_bytes()), put("empty", b""), put("gone", b"x")]);
    writer.write(vec![remove("gone"), remove("never there"), put("bytes", &[0, 255, 128])]);
    written(&writer).await;
    drop((writer, first));

    let again = Database::open(&name).await.unwrap();
    let expected: BTreeMap<String, Vec<u8>> = [
        ("bytes".to_owned(), vec![0, 255, 128]),
        ("empty".to_owned(), vec![]),
        ("nick".to_owned(), "grün".as_bytes().to_vec()),
    ]
    .into();
    assert_eq!(again.load(0).await.unwrap(), expected);
}

#[wasm_bindgen_test]
async fn later_writes_win_over_earlier_ones() {
    let (name, first) = database("order").await;
    let mut writer = writer(&first, 0);
    for round in 0..300_u32 {
        writer.write(vec![put("counter", &round.to_be_bytes()), put(&format!("line/{round}"), b"said")]);
        if round % 2 == 1 {
            writer.write(vec![remove(&format!("line/{round}"))]);
        }
        if round % 50 == 0 {
            written(&writer).await;
        }
    }
    // Dropping writes the rest; nothing is waited for but what a reopening shows.
    written(&writer).await;
    let saved = Database::open(&name).await.unwrap().load(0).await.unwrap();
    assert_eq!(saved["counter"], 299_u32.to_be_bytes());
    assert_eq!(saved.keys().filter(|key| key.starts_with("line/")).count(), 150);
    assert!(saved.contains_key("line/298") && !saved.contains_key("line/299"));
}

#[wasm_bindgen_test]
async fn slots_do_not_see_each_other() {
    let (_, database) = database("slots").await;
    for slot in [1, 10, 11, 2] {
        let mut writer = writer(&database, slot);
        writer.write(vec![put("slot", &slot.to_be_bytes()), put("/odd/key", b"")]);
        written(&writer).await;
    }
    for slot in [1_u32, 10, 11, 2] {
        let saved = database.load(slot).await.unwrap();
        assert_eq!(saved["slot"], slot.to_be_bytes());
        assert_eq!(saved.len(), 2);
    }
    assert!(database.load(0).await.unwrap().is_empty());
}

#[wasm_bindgen_test]
async fn too_many_unwritten_entries_end_the_storing_but_nothing_hangs() {
    let (_, database) = database("bound").await;
    let mut writer = writer(&database, 0);
    let flood = (0..=tincan_wasm::storage::MAX_UNWRITTEN).map(|n| put(&n.to_string(), b"")).collect();
    writer.write(flood);
    writer.write(vec![put("late", b"")]);
    assert!(!written(&writer).await, "it does not say that it is stored");
    assert!(database.load(0).await.unwrap().is_empty());
}

#[wasm_bindgen_test]
async fn what_is_removed_is_gone_even_after_the_storing_has_ended() {
    let (_, database) = database("bound-removal").await;
    let mut writer = writer(&database, 0);
    writer.write(vec![put("waiting", b"sent since"), put("kept", b"")]);
    written(&writer).await;
    writer.write((0..=tincan_wasm::storage::MAX_UNWRITTEN).map(|n| put(&n.to_string(), b"")).collect());
    writer.write(vec![remove("waiting"), put("frame", b"")]);
    written(&writer).await;
    assert_eq!(database.load(0).await.unwrap().into_keys().collect::<Vec<_>>(), ["kept"]);
}

/// Refuses transactions that write, as Chromium does when the quota is used up: all that is in them is undone when they
/// commit. Those that only remove go through.
const FULL: &str = "
    const put = IDBObjectStore.prototype.put, commit = IDBTransaction.prototype.commit;
    IDBObjectStore.prototype.put = function (...parts) {
        this.transaction.writes = true;
        return put.apply(this, parts);
    };
    IDBTransaction.prototype.commit = function () {
        return this.writes ? this.abort() : commit.call(this);
    };
    globalThis.spaceAgain = () => {
        IDBObjectStore.prototype.put = put;
        IDBTransaction.prototype.commit = commit;
    };";

#[wasm_bindgen_test]
async fn a_full_storage_still_removes_and_writes_the_rest_when_there_is_space() {
    let (_, database) = database("full").await;
    let (teller, keys) = (Teller::default(), |saved: Saved| saved.into_keys().collect::<Vec<_>>());
    let mut writer = database.writer(0, database.journal(0, &owner(1)), teller.clone());
    writer.write(vec![put("waiting/1", b"one"), put("waiting/2", b"two"), put("nick", b"ann")]);
    written(&writer).await;
    js_sys::eval(FULL).unwrap();
    writer.write(vec![remove("waiting/1"), put("frame/1", b"one")]);
    while database.load(0).await.unwrap().contains_key("waiting/1") {}
    assert!(!teller.news().now().stores, "it is told");
    writer.write(vec![remove("waiting/2"), put("frame/2", b"two")]);
    while database.load(0).await.unwrap().contains_key("waiting/2") {}
    assert_eq!(keys(database.load(0).await.unwrap()), ["nick"], "nothing else was lost or written");
    js_sys::eval("spaceAgain()").unwrap();
    written(&writer).await;
    assert_eq!(keys(database.load(0).await.unwrap()), ["frame/1", "frame/2", "nick"]);
    assert!(teller.news().now().stores);
}

#[wasm_bindgen_test]
async fn a_slot_keeps_its_key() {
    let (name, first) = database("key").await;
    let made = Identity::load_or_make(&first, 0).await;
    assert_eq!((&made.stored, made.replaced), (&Ok(()), false));
    let other = Identity::load_or_make(&first, 1).await;
    assert_ne!(made.keypair.public(), other.keypair.public());
    drop(first);

    let again = Database::open(&name).await.unwrap();
    let found = Identity::load_or_make(&again, 0).await;
    assert_eq!(found.keypair.public(), made.keypair.public());
}

#[wasm_bindgen_test]
async fn what_is_no_key_is_replaced_and_told() {
    let (_, database) = database("garbage").await;
    database.put_key(0, b"no key").await.unwrap();
    let made = Identity::load_or_make(&database, 0).await;
    assert!(made.replaced);
    let found = Identity::load_or_make(&database, 0).await;
    assert_eq!((found.keypair.public(), found.replaced), (made.keypair.public(), false));
}

#[wasm_bindgen_test]
async fn a_database_of_a_later_version_is_refused_in_words() {
    let name = format!("test-later-{}", js_sys::Math::random());
    let later = idb::Database::builder(&name).version(7).build().await.unwrap();
    later.close();
    assert!(Database::open(&name).await.is_err());
}

/// What the next page of a slot finds.
async fn found(name: &str, slot: u32) -> Saved {
    let database = Database::open(name).await.unwrap();
    let mut saved = database.load(slot).await.unwrap();
    database.journal(slot, &owner(1)).complete(&mut saved);
    saved
}

fn kept_outside(name: &str, slot: u32) -> Option<String> {
    let storage = web_sys::window().unwrap().local_storage().unwrap().unwrap();
    storage.get_item(&format!("{name}-unwritten-{slot}")).unwrap()
}

/// Transactions are begun and never end, as on a slow disk, until `diskAgain` is called.
const SLOW: &str = "
    const commit = IDBTransaction.prototype.commit;
    const open = [];
    IDBTransaction.prototype.commit = function () {
        open.push(this);
        const keepOpen = () => {
            if (!open.includes(this)) return commit.call(this);
            this.objectStore(this.objectStoreNames[0]).get('').onsuccess = keepOpen;
        };
        keepOpen();
    };
    globalThis.diskAgain = () => {
        IDBTransaction.prototype.commit = commit;
        open.length = 0;
    };";

#[wasm_bindgen_test]
async fn what_is_said_while_a_commit_is_under_way_is_there_for_the_next_page() {
    let (name, database) = database("leave").await;
    let mut first = writer(&database, 3);
    first.write(vec![put("waiting/0", b"zero"), put("room", b"0")]);
    assert!(written(&first).await);
    js_sys::eval(SLOW).unwrap();
    first.write(vec![put("waiting/1", b"one"), put("room", b"1"), remove("waiting/0")]);
    n0_future::time::sleep(std::time::Duration::ZERO).await;
    first.write(vec![put("waiting/2", &[0, 255]), put("room", b"2")]);
    first.unwritten().leave();
    first.write(vec![put("late", b"")]);
    js_sys::eval("diskAgain()").unwrap();

    let expected: Saved = [("room", &b"2"[..]), ("waiting/1", b"one"), ("waiting/2", &[0, 255])]
        .map(|(key, value)| (key.to_owned(), value.to_vec()))
        .into();
    assert_eq!(found(&name, 3).await, expected);
    assert!(!written(&first).await, "the page that left writes no more");

    // The next page brings it into the database.
    let next = writer(&Database::open(&name).await.unwrap(), 3);
    assert!(written(&next).await);
    assert_eq!(database.load(3).await.unwrap(), expected);
    assert_eq!(kept_outside(&name, 3), None);
}

#[wasm_bindgen_test]
async fn what_a_page_kept_that_went_on_is_never_older_than_the_database() {
    let (name, database) = database("keep").await;
    let mut writer = writer(&database, 0);
    writer.write(vec![put("room", b"1")]);
    writer.unwritten().keep();
    assert!(kept_outside(&name, 0).is_some());
    writer.write(vec![put("room", b"2")]);
    assert!(written(&writer).await);
    assert_eq!(kept_outside(&name, 0), None, "the database has it");
    assert_eq!(found(&name, 0).await["room"], b"2");
    writer.unwritten().keep();
    assert_eq!(kept_outside(&name, 0), None, "there is nothing to keep");
}

#[wasm_bindgen_test]
async fn another_key_does_not_take_over_what_was_left() {
    let (name, database) = database("foreign").await;
    let mut first = writer(&database, 0);
    first.write(vec![put("room", b"1")]);
    first.unwritten().leave();
    let mut saved = Saved::new();
    database.journal(0, &owner(2)).complete(&mut saved);
    assert!(saved.is_empty());
    // Nor what is no journal at all.
    let storage = web_sys::window().unwrap().local_storage().unwrap().unwrap();
    for text in ["", "null", "[]", "{}", "[1, 2]", &format!("[\"{}\", [\"room\", \"0g\"]]", owner(1))] {
        storage.set_item(&format!("{name}-unwritten-0"), text).unwrap();
        database.journal(0, &owner(1)).complete(&mut saved);
        assert!(saved.is_empty(), "{text}");
    }
}

#[wasm_bindgen_test]
async fn a_tab_that_needs_another_version_gets_the_database() {
    let (name, database) = database("outdated").await;
    let later = idb::Database::builder(&name).version(7).build();
    let make_way = async {
        database.outdated().await;
        database.close();
    };
    let (later, ()) = futures::future::join(later, make_way).await;
    assert_eq!(later.unwrap().version().unwrap(), 7);
}
