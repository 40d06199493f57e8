use tincan_shared::source;
use tokio::sync::oneshot::{Receiver, error::TryRecvError};

use super::*;

/// In a test that does not care about time.
fn now() -> Instant {
    Instant::now()
}

struct Visitor {
    id: ConnectionId,
    extra: bool,
    cut: Receiver<()>,
}

impl Visitor {
    fn is_cut(&mut self) -> bool {
        self.cut.try_recv() == Err(TryRecvError::Closed)
    }
}

fn source_of(ip: &str) -> IpNet {
    source(ip.parse().unwrap())
}

fn from(slots: &mut ConnectionSlots, ip: &str) -> Visitor {
    visit(slots, Some(source(ip.parse().unwrap())))
}

fn visit(slots: &mut ConnectionSlots, source: Option<IpNet>) -> Visitor {
    let (sender, cut) = oneshot::channel();
    let Admitted { id, extra } = slots.admit(source, sender, now());
    Visitor { id, extra, cut }
}

#[test]
fn one_source_holds_half_and_cuts_its_own_idle_ones_first() {
    let mut slots = ConnectionSlots::default();
    let mut other = from(&mut slots, "192.0.2.2");
    let mut own: Vec<Visitor> = (0..MAX_CONNECTIONS_PER_SOURCE).map(|_| from(&mut slots, "192.0.2.1")).collect();
    slots.begin(own[0].id, None, now()).unwrap();
    let more = from(&mut slots, "192.0.2.1");
    assert!(!more.extra && !own[0].is_cut() && own[1].is_cut() && !own[2].is_cut() && !other.is_cut());
    assert_eq!(slots.counts(), Counts { connections: 513, cut: 1, busy: 0 });
}

#[test]
fn a_source_whose_places_are_all_in_use_is_told_so_and_others_are_not() {
    let mut slots = ConnectionSlots::default();
    let own: Vec<Visitor> = (0..MAX_CONNECTIONS_PER_SOURCE).map(|_| from(&mut slots, "2001:db8::1")).collect();
    own.iter().for_each(|visitor| slots.begin(visitor.id, None, now()).unwrap());
    let neighbour = from(&mut slots, "2001:db8::ffff:2");
    assert!(neighbour.extra, "of the same /64");
    assert_eq!(slots.begin(neighbour.id, None, now()), Err(Busy));
    let other = from(&mut slots, "2001:db8:0:1::1");
    assert!(!other.extra && slots.begin(other.id, None, now()).is_ok());
    slots.remove(own[0].id);
    assert!(!from(&mut slots, "2001:db8::3").extra);
}

#[test]
fn when_all_places_are_taken_the_longest_idle_goes() {
    let mut slots = ConnectionSlots::default();
    let mut exempt = visit(&mut slots, None);
    let mut all: Vec<Visitor> =
        (1..MAX_CONNECTIONS).map(|n| from(&mut slots, &format!("192.0.{}.{}", n / 256, n % 256))).collect();
    slots.begin(all[0].id, None, now()).unwrap();
    slots.set_idle(all[0].id, now());
    let newcomer = from(&mut slots, "198.51.100.1");
    assert!(!newcomer.extra && all[1].is_cut() && !all[0].is_cut() && !exempt.is_cut());
    for visitor in all.iter().chain([&newcomer, &exempt]) {
        slots.begin(visitor.id, None, now()).unwrap();
    }
    let late = from(&mut slots, "198.51.100.2");
    assert!(late.extra && slots.begin(late.id, None, now()) == Err(Busy));
}

/// All places in use by these sources, as many of each.
fn in_use_by(slots: &mut ConnectionSlots, sources: &[&str]) -> Vec<Visitor> {
    let taken = MAX_CONNECTIONS;
    let all: Vec<Visitor> = (0..taken).map(|n| from(slots, sources[n % sources.len()])).collect();
    all.iter().for_each(|visitor| slots.begin(visitor.id, None, now()).unwrap());
    all
}

#[test]
fn however_few_hold_all_places_one_more_gets_in_and_takes_no_more_than_its_share() {
    for hostile in [&["192.0.2.1", "192.0.2.2"][..], &["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]] {
        let mut slots = ConnectionSlots::default();
        let mut all = in_use_by(&mut slots, hostile);
        let newcomers: Vec<Visitor> = (0..MAX_CONNECTIONS).map(|_| from(&mut slots, "198.51.100.1")).collect();
        newcomers.iter().for_each(|visitor| drop(slots.begin(visitor.id, None, now())));
        let inside = newcomers.iter().filter(|visitor| !visitor.extra).count();
        assert!(inside > 0 && slots.counts().cut > 0);
        for source in hostile {
            let left = slots.held(&source_of(source));
            assert!(left >= MAX_CONNECTIONS / (hostile.len() + 1), "{left} of {source}");
        }
        assert!(all.iter_mut().any(Visitor::is_cut));
    }
}

#[test]
fn of_those_in_use_the_one_without_progress_goes() {
    let mut slots = ConnectionSlots::default();
    let mut all = in_use_by(&mut slots, &["192.0.2.1", "192.0.2.2"]);
    let later = now() + Duration::from_secs(1);
    for visitor in all.iter().filter(|visitor| visitor.id != 7) {
        slots.progressed(visitor.id, later);
    }
    assert!(!from(&mut slots, "198.51.100.1").extra);
    let cut: Vec<ConnectionId> = all.iter_mut().filter_map(|visitor| visitor.is_cut().then_some(visitor.id)).collect();
    assert_eq!(cut, [7]);
}

#[test]
fn of_many_sources_with_one_place_each_only_those_that_stall_go() {
    let mut slots = ConnectionSlots::default();
    let all: Vec<Visitor> =
        (0..MAX_CONNECTIONS).map(|n| from(&mut slots, &format!("10.0.{}.{}", n / 256, n % 256))).collect();
    let start = now();
    all.iter().for_each(|visitor| slots.begin(visitor.id, None, start).unwrap());
    let mut admit = |at| {
        let (sender, _cut) = oneshot::channel();
        slots.admit(Some(source_of("198.51.100.1")), sender, at).extra
    };
    assert!(admit(start + STALLED / 2) && !admit(start + STALLED));
}

#[test]
fn who_has_just_come_in_is_not_pushed_out_by_those_who_hold_most() {
    let mut slots = ConnectionSlots::default();
    let _all = in_use_by(&mut slots, &["192.0.2.1", "192.0.2.2"]);
    let mut newcomers: Vec<Visitor> = (0..9).map(|n| from(&mut slots, &format!("198.51.100.{n}"))).collect();
    assert!((0..50).filter(|_| !from(&mut slots, "192.0.2.1").extra).count() <= 10, "its own places");
    assert!(newcomers.iter_mut().all(|visitor| !visitor.extra && !visitor.is_cut()));
}

#[test]
fn a_proxys_clients_give_way_too() {
    let mut slots = ConnectionSlots::default();
    let all: Vec<Visitor> = (0..MAX_CONNECTIONS).map(|_| visit(&mut slots, None)).collect();
    for (n, visitor) in all.iter().enumerate() {
        slots.begin(visitor.id, Some(source_of(["192.0.2.1", "192.0.2.2"][n % 2])), now()).unwrap();
    }
    let newcomer = visit(&mut slots, None);
    assert!(!newcomer.extra);
    assert_eq!(slots.begin(newcomer.id, Some(source_of("192.0.2.3")), now()), Ok(()));
}

#[test]
fn extra_places_are_bounded_and_kept_for_those_without_a_bound() {
    let mut slots = ConnectionSlots::default();
    let all: Vec<Visitor> = (0..MAX_CONNECTIONS).map(|_| visit(&mut slots, None)).collect();
    all.iter().for_each(|visitor| slots.begin(visitor.id, None, now()).unwrap());
    let mut probe = visit(&mut slots, None);
    let mut strangers: Vec<Visitor> = (0..2 * MAX_EXTRA).map(|_| from(&mut slots, "192.0.2.1")).collect();
    assert!(probe.extra && !probe.is_cut() && strangers[0].is_cut());
    assert!(!strangers.last_mut().unwrap().is_cut());
    assert_eq!(slots.counts().connections, (MAX_CONNECTIONS + MAX_EXTRA) as u64);
}

#[test]
fn a_proxys_clients_are_bounded_each_by_its_own_address() {
    let mut slots = ConnectionSlots::default();
    let client = Some(source("192.0.2.1".parse().unwrap()));
    let proxied: Vec<Visitor> = (0..MAX_CONNECTIONS_PER_SOURCE).map(|_| visit(&mut slots, None)).collect();
    proxied.iter().for_each(|visitor| slots.begin(visitor.id, client, now()).unwrap());
    let more = visit(&mut slots, None);
    assert!(!more.extra);
    assert_eq!(slots.begin(more.id, client, now()), Err(Busy));
    assert_eq!(slots.begin(more.id, Some(source("192.0.2.2".parse().unwrap())), now()), Ok(()));
    slots.set_idle(proxied[0].id, now());
    assert_eq!(slots.begin(proxied[0].id, client, now()), Ok(()), "answered, so it may ask again");
}

#[test]
fn nothing_is_left_of_those_who_left() {
    let mut slots = ConnectionSlots::default();
    let client = Some(source("192.0.2.9".parse().unwrap()));
    for n in 0..3 * MAX_CONNECTIONS {
        let visitor = from(&mut slots, &format!("10.0.{}.{}", n / 256, n % 256));
        let _ = slots.begin(visitor.id, client, now());
        slots.remove(visitor.id);
    }
    assert!(slots.taken.is_empty() && slots.extra.is_empty() && slots.sources.is_empty());
}
