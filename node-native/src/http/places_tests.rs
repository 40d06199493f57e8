use tincan_shared::source;
use tokio::sync::oneshot::{Receiver, error::TryRecvError};

use super::*;

struct Visitor {
    id: Id,
    extra: bool,
    cut: Receiver<()>,
}

impl Visitor {
    fn is_cut(&mut self) -> bool {
        self.cut.try_recv() == Err(TryRecvError::Closed)
    }
}

fn from(places: &mut Places, ip: &str) -> Visitor {
    visit(places, Some(source(ip.parse().unwrap())))
}

fn visit(places: &mut Places, source: Option<IpNet>) -> Visitor {
    let (sender, cut) = oneshot::channel();
    let Admitted { id, extra } = places.admit(source, sender);
    Visitor { id, extra, cut }
}

#[test]
fn one_source_holds_half_and_cuts_its_own_idle_ones_first() {
    let mut places = Places::default();
    let mut other = from(&mut places, "192.0.2.2");
    let mut own: Vec<Visitor> = (0..MAX_CONNECTIONS_PER_SOURCE).map(|_| from(&mut places, "192.0.2.1")).collect();
    places.begin(own[0].id, None).unwrap();
    let more = from(&mut places, "192.0.2.1");
    assert!(!more.extra && !own[0].is_cut() && own[1].is_cut() && !own[2].is_cut() && !other.is_cut());
    assert_eq!(places.figures(), Figures { connections: 513, cut: 1, busy: 0 });
}

#[test]
fn a_source_whose_places_are_all_in_use_is_told_so_and_others_are_not() {
    let mut places = Places::default();
    let own: Vec<Visitor> = (0..MAX_CONNECTIONS_PER_SOURCE).map(|_| from(&mut places, "2001:db8::1")).collect();
    own.iter().for_each(|visitor| places.begin(visitor.id, None).unwrap());
    let neighbour = from(&mut places, "2001:db8::ffff:2");
    assert!(neighbour.extra, "of the same /64");
    assert_eq!(places.begin(neighbour.id, None), Err(Busy));
    let other = from(&mut places, "2001:db8:0:1::1");
    assert!(!other.extra && places.begin(other.id, None).is_ok());
    places.leave(own[0].id);
    assert!(!from(&mut places, "2001:db8::3").extra);
}

#[test]
fn when_all_places_are_taken_the_longest_idle_goes() {
    let mut places = Places::default();
    let mut exempt = visit(&mut places, None);
    let mut all: Vec<Visitor> =
        (1..MAX_CONNECTIONS).map(|n| from(&mut places, &format!("192.0.{}.{}", n / 256, n % 256))).collect();
    places.begin(all[0].id, None).unwrap();
    places.rest(all[0].id);
    let newcomer = from(&mut places, "198.51.100.1");
    assert!(!newcomer.extra && all[1].is_cut() && !all[0].is_cut() && !exempt.is_cut());
    for visitor in all.iter().chain([&newcomer, &exempt]) {
        places.begin(visitor.id, None).unwrap();
    }
    let late = from(&mut places, "198.51.100.2");
    assert!(late.extra && places.begin(late.id, None) == Err(Busy));
}

#[test]
fn extra_places_are_bounded_and_kept_for_those_without_a_bound() {
    let mut places = Places::default();
    let all: Vec<Visitor> = (0..MAX_CONNECTIONS).map(|_| visit(&mut places, None)).collect();
    all.iter().for_each(|visitor| places.begin(visitor.id, None).unwrap());
    let mut probe = visit(&mut places, None);
    let mut strangers: Vec<Visitor> = (0..2 * MAX_EXTRA).map(|_| from(&mut places, "192.0.2.1")).collect();
    assert!(probe.extra && !probe.is_cut() && strangers[0].is_cut());
    assert!(!strangers.last_mut().unwrap().is_cut());
    assert_eq!(places.figures().connections, (MAX_CONNECTIONS + MAX_EXTRA) as u64);
}

#[test]
fn a_proxys_clients_are_bounded_each_by_its_own_address() {
    let mut places = Places::default();
    let client = Some(source("192.0.2.1".parse().unwrap()));
    let proxied: Vec<Visitor> = (0..MAX_CONNECTIONS_PER_SOURCE).map(|_| visit(&mut places, None)).collect();
    proxied.iter().for_each(|visitor| places.begin(visitor.id, client).unwrap());
    let more = visit(&mut places, None);
    assert!(!more.extra);
    assert_eq!(places.begin(more.id, client), Err(Busy));
    assert_eq!(places.begin(more.id, Some(source("192.0.2.2".parse().unwrap()))), Ok(()));
    places.rest(proxied[0].id);
    assert_eq!(places.begin(proxied[0].id, client), Ok(()), "answered, so it may ask again");
}

#[test]
fn nothing_is_left_of_those_who_left() {
    let mut places = Places::default();
    let client = Some(source("192.0.2.9".parse().unwrap()));
    for n in 0..3 * MAX_CONNECTIONS {
        let visitor = from(&mut places, &format!("10.0.{}.{}", n / 256, n % 256));
        let _ = places.begin(visitor.id, client);
        places.leave(visitor.id);
    }
    assert!(places.taken.is_empty() && places.extra.is_empty() && places.sources.is_empty());
}
