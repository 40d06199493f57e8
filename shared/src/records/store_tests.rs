use std::time::Duration;

use libp2p::kad::{KBucketDistance as Distance, KBucketKey, store::RecordStore};

use super::*;
use crate::{Change, Config, Saved, config::MAX_VALUE_BYTES};

const HOUR: Duration = Duration::from_secs(3600);

fn store(records: usize, provided_keys: usize) -> Store {
    Store::new(PeerId::random(), &Limits { records, provided_keys, ..Config::hub().limits })
}

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn origin() -> Instant {
    Instant::now()
}

/// As when a record is put now that is to expire then.
fn clock(expires: Instant) -> Clock {
    Clock { instant: expires - RECORD_TTL, unix_ms: 1_700_000_000_000 }
}

fn record(key: &str, value: &str, expires: Instant) -> Record {
    Record { key: RecordKey::new(&key), value: value.into(), publisher: None, expires: Some(expires) }
}

/// A peer that may store, counted by itself.
fn stranger(store: &mut Store) -> PeerId {
    let peer = PeerId::random();
    store.admit(peer, Source::from(peer.to_string()));
    peer
}

fn put(store: &mut Store, from: PeerId, record: Record) -> bool {
    store.set_asking(Some(from));
    let taken = store.put(record).is_ok();
    store.set_asking(None);
    taken
}

fn provide(store: &mut Store, key: &str, provider: PeerId) -> bool {
    store.set_asking(Some(provider));
    let taken = store.add_provider(ProviderRecord::new(key.as_bytes().to_vec(), provider, Vec::new())).is_ok();
    store.set_asking(None);
    taken
}

fn value(store: &Store, key: &str) -> Option<String> {
    store.get(&RecordKey::new(&key)).map(|record| String::from_utf8(record.value.clone()).unwrap())
}

fn distance(store: &Store, key: &str) -> Distance {
    KBucketKey::new(RecordKey::new(&key)).distance(&KBucketKey::from(store.me))
}

#[test]
fn of_too_many_records_of_a_stranger_the_closest_stay_and_the_others_are_refused() {
    let (mut store, now) = (store(20, 0), origin());
    let from = stranger(&mut store);
    let mut keys: Vec<String> = (0..40).map(|n| format!("key {n}")).collect();
    for key in &keys {
        let taken = put(&mut store, from, record(key, key, now + HOUR));
        assert_eq!(value(&store, key).is_some(), taken, "what is acknowledged is there");
    }
    keys.sort_by_key(|key| distance(&store, key));
    let there: Vec<_> = keys.iter().filter(|key| value(&store, key).is_some()).collect();
    assert_eq!(there, keys[..10].iter().collect::<Vec<_>>());
    let (refused, displaced) = store.turned_away();
    assert_eq!(refused + displaced, 30);
}

#[test]
fn a_stranger_who_fills_the_store_makes_place_for_others_and_leaves_ones_own() {
    let (mut store, now) = (store(20, 20), origin());
    let greedy = stranger(&mut store);
    for n in 0..100 {
        put(&mut store, greedy, record(&format!("greedy {n}"), "v", now + HOUR));
        provide(&mut store, &format!("greedy {n}"), greedy);
    }
    for n in 0..5 {
        let modest = stranger(&mut store);
        assert!(put(&mut store, modest, record(&format!("modest {n}"), "v", now + HOUR)), "{n}");
        assert!(provide(&mut store, &format!("modest {n}"), modest), "{n}");
    }
    let own: Vec<String> = (0..20).map(|n| format!("own {n}")).collect();
    for key in &own {
        assert!(store.put_own(&RecordKey::new(key), b"mine".to_vec(), clock(now + HOUR)));
        let me = store.me;
        assert!(provide(&mut store, key, me));
    }
    for n in 0..100 {
        put(&mut store, greedy, record(&format!("again {n}"), "v", now + HOUR));
        provide(&mut store, &format!("again {n}"), greedy);
    }
    assert!(own.iter().all(|key| value(&store, key).as_deref() == Some("mine")));
    assert_eq!((store.provided().count(), store.count()), (20, 20));
    assert!(!store.put_own(&RecordKey::new(&"one more"), b"v".to_vec(), clock(now + HOUR)));
    assert!(store.put_own(&RecordKey::new(&own[0]), b"new".to_vec(), clock(now + HOUR)), "a new value needs no place");
}

#[test]
fn only_admitted_peers_store_and_only_within_bounds() {
    let (mut store, now) = (store(20, 20), origin());
    let peer = PeerId::random();
    assert!(!put(&mut store, peer, record("k", "v", now + HOUR)) && !provide(&mut store, "k", peer));
    store.admit(peer, Source::from("one".to_owned()));
    assert!(put(&mut store, peer, record("k", "v", now + HOUR)) && provide(&mut store, "k", peer));
    let large = Record { value: vec![0; MAX_VALUE_BYTES + 1], ..record("large", "", now + HOUR) };
    assert!(!put(&mut store, peer, large) && !put(&mut store, peer, record("", "v", now + HOUR)));
    store.dismiss(&peer);
    assert!(!put(&mut store, peer, record("l", "v", now + HOUR)) && !provide(&mut store, "l", peer));
    assert_eq!(store.turned_away(), (6, 0));
}

#[test]
fn a_copy_handed_on_replaces_no_newer_value() {
    let (mut store, now) = (store(20, 0), origin());
    let [publisher, hub] = [stranger(&mut store), stranger(&mut store)];
    let published = |value, expires| Record { publisher: Some(publisher), ..record("k", value, expires) };
    assert!(put(&mut store, publisher, published("new", now + 2 * HOUR)));
    assert!(!put(&mut store, hub, published("old", now + HOUR)));
    assert!(put(&mut store, hub, published("new", now + HOUR)), "the same value is there");
    assert_eq!(value(&store, "k").as_deref(), Some("new"));
    assert!(put(&mut store, hub, published("newer", now + 3 * HOUR)));
    assert!(put(&mut store, publisher, published("short-lived", now + HOUR)), "its publisher may");
    assert_eq!(value(&store, "k").as_deref(), Some("short-lived"));

    assert!(store.put_own(&RecordKey::new(&"mine"), b"x".to_vec(), clock(now + 2 * HOUR)));
    assert!(!put(&mut store, hub, record("mine", "older", now + HOUR)));
    assert_eq!(value(&store, "mine").as_deref(), Some("x"));
    assert!(put(&mut store, hub, record("mine", "newer", now + 3 * HOUR)));
    assert_eq!(value(&store, "mine").as_deref(), Some("newer"));
    store.reap(now + 3 * HOUR);
    assert_eq!(value(&store, "mine").as_deref(), Some("x"), "ours counts again when theirs has expired");
}

#[test]
fn of_too_many_providers_of_a_key_the_closest_stay_and_oneself() {
    let mut store = store(0, 1000);
    let (key, me) = (KBucketKey::new(RecordKey::new(&"k")), store.me);
    assert!(provide(&mut store, "k", me));
    let mut all: Vec<PeerId> = (0..60).map(|_| stranger(&mut store)).collect();
    for provider in &all {
        let taken = provide(&mut store, "k", *provider);
        assert_eq!(store.providers(&RecordKey::new(&"k")).iter().any(|held| held.provider == *provider), taken);
    }
    all.sort_by_key(|provider| KBucketKey::from(*provider).distance(&key));
    let mut stayed: Vec<PeerId> = store.providers(&RecordKey::new(&"k")).iter().map(|held| held.provider).collect();
    assert_eq!(stayed.remove(0), store.me);
    stayed.sort_by_key(|provider| KBucketKey::from(*provider).distance(&key));
    assert_eq!(stayed, all[..20]);
}

#[test]
fn what_has_expired_is_reaped_and_ones_own_stays() {
    let (mut store, now) = (store(20, 20), origin());
    let peer = stranger(&mut store);
    assert!(put(&mut store, peer, record("early", "v", now + HOUR)));
    assert!(put(&mut store, peer, record("late", "v", now + 3 * HOUR)));
    assert!(store.put_own(&RecordKey::new(&"own"), b"v".to_vec(), clock(now + HOUR)));
    store.set_asking(Some(peer));
    for (key, hours) in [("early", 1), ("late", 3)] {
        let expires = Some(now + hours * HOUR);
        let provider = ProviderRecord { expires, ..ProviderRecord::new(key.as_bytes().to_vec(), peer, Vec::new()) };
        store.add_provider(provider).unwrap();
    }
    store.reap(now + 2 * HOUR);
    assert_eq!(["early", "late", "own"].map(|key| value(&store, key).is_some()), [false, true, true]);
    assert_eq!(["early", "late"].map(|key| store.providers(&RecordKey::new(&key)).len()), [0, 1]);
    assert_eq!((store.held.values().len(), store.count()), (1, 2));
}

/// What a storage holds after these changes.
fn write(saved: &mut Saved, changes: Vec<Change>) {
    for Change { key, value } in changes {
        match value {
            Some(value) => drop(saved.insert(key, value)),
            None => drop(saved.remove(&key)),
        }
    }
}

/// A store like the one before, in a later run.
fn again(before: &Store, saved: &mut Saved, limits: &Limits, later: Duration) -> (Store, Clock) {
    let clock =
        Clock { instant: origin() + Duration::from_secs(1000), unix_ms: clock(origin()).unix_ms + millis(later) };
    let mut store = Store::new(before.me, limits);
    let useless = store.load(saved, clock);
    write(saved, useless);
    (store, clock)
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap()
}

#[test]
fn what_is_stored_is_there_in_the_next_run_until_it_expires() {
    let (mut first, now, mut saved) = (store(20, 20), origin(), Saved::new());
    let limits = Limits { records: 20, provided_keys: 20, ..Config::hub().limits };
    let [peer, gone] = [stranger(&mut first), stranger(&mut first)];
    let at = Clock { instant: now, ..clock(now) };
    assert!(first.put_own(&RecordKey::new(&"own"), b"mine".to_vec(), at));
    let me = first.me;
    assert!(provide(&mut first, "own", me));
    for (key, from, hours) in [("brief", peer, 1), ("long", peer, 20), ("gone", gone, 20)] {
        assert!(put(&mut first, from, Record { publisher: Some(from), ..record(key, key, now + hours * HOUR) }));
        first.set_asking(Some(from));
        let expires = Some(now + hours * HOUR);
        let addresses = vec!["/ip4/192.0.2.1/tcp/1".parse().unwrap()];
        let provider = ProviderRecord { expires, ..ProviderRecord::new(key.as_bytes().to_vec(), from, addresses) };
        first.add_provider(provider).unwrap();
    }
    write(&mut saved, first.changes(at));
    first.remove(&RecordKey::new(&"gone"));
    first.remove_provider(&RecordKey::new(&"gone"), &gone);
    assert!(first.record_published(&RecordKey::new(&"own"), 1, at));
    write(&mut saved, first.changes(at));
    assert!(!first.has_changes());
    saved.insert("record/zz".to_owned(), Vec::new());
    saved.insert("nick".to_owned(), b"ann".to_vec());
    assert_eq!(saved.len(), 8);

    let (second, later) = again(&first, &mut saved, &limits, 2 * HOUR);
    assert_eq!(saved.keys().filter(|name| !name.starts_with("own")).count(), 3, "{saved:?}");
    assert_eq!(["own", "long", "brief", "gone"].map(|key| value(&second, key).is_some()), [true, true, false, false]);
    let [record, provider] =
        [second.get(&RecordKey::new(&"long")).unwrap().expires, second.providers(&RecordKey::new(&"long"))[0].expires];
    assert_eq!([record, provider], [Some(later.instant + 18 * HOUR); 2]);
    assert_eq!(second.get(&RecordKey::new(&"long")).unwrap().publisher, Some(peer));
    assert_eq!(second.own_record(&RecordKey::new(&"own")).unwrap().published_ms, Some(at.unix_ms));
    assert!(second.provides(&RecordKey::new(&"own")));
    assert_eq!(second.own_items().len(), 2);

    let (third, _) = again(&second, &mut saved, &limits, 30 * HOUR);
    assert_eq!((third.count(), third.own_value(&RecordKey::new(&"own"))), (1, Some(&b"mine"[..])));
    assert_eq!(saved.keys().collect::<Vec<_>>(), ["nick", "own-key/6f776e", "own-record/6f776e"]);
}

#[test]
fn a_smaller_store_takes_of_an_earlier_run_what_it_has_place_for() {
    let (mut first, now, mut saved) = (store(200, 0), origin(), Saved::new());
    let peer = stranger(&mut first);
    for n in 0..100 {
        assert!(put(&mut first, peer, record(&n.to_string(), "v", now + HOUR)));
    }
    write(&mut saved, first.changes(Clock { instant: now, ..clock(now) }));
    let limits = Limits { records: 20, ..Config::hub().limits };
    let (mut second, later) = again(&first, &mut saved, &limits, Duration::ZERO);
    assert_eq!(second.count(), 10);
    write(&mut saved, second.changes(later));
    assert_eq!(saved.len(), 10);
}
