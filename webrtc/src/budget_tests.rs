use super::*;
use crate::{Acknowledging, Opened, frame, stream::unconnected};

struct Stream {
    held: AtomicUsize,
    account: Account,
}

impl Holder for Stream {
    fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn give_up(self: Arc<Self>, _: usize) {
        self.account.changed(self.held.swap(0, Ordering::Relaxed), 0);
    }
}

fn stream(account: &Account, bytes: usize) -> Arc<Stream> {
    let stream = Arc::new(Stream { held: AtomicUsize::new(bytes), account: account.clone() });
    account.join(Arc::downgrade(&stream) as Weak<dyn Holder>);
    account.changed(0, bytes);
    account.relieve();
    stream
}

fn budget() -> Budget {
    Budget::new(Limits { unauthenticated_bytes: 10, connection_bytes: 100, transport_bytes: 150, ..Limits::default() })
}

#[test]
fn the_largest_stream_of_a_connection_goes_first() {
    let budget = budget();
    let account = budget.open();
    account.set_authenticated();
    let streams = [30, 50, 20].map(|bytes| stream(&account, bytes));
    assert_eq!((budget.held(), budget.resets()), (100, 0));
    let last = stream(&account, 1);
    assert_eq!(streams.each_ref().map(|stream| stream.held()), [30, 0, 20]);
    assert_eq!((last.held(), budget.held(), budget.resets()), (1, 51, 1));
}

#[test]
fn the_largest_connection_pays_for_all() {
    let budget = budget();
    let accounts = [budget.open(), budget.open()];
    accounts.iter().for_each(Account::set_authenticated);
    let large = stream(&accounts[0], 90);
    let small = stream(&accounts[1], 60);
    assert_eq!((large.held(), small.held()), (90, 60));
    let one_more = stream(&accounts[1], 1);
    assert_eq!((large.held(), small.held(), one_more.held()), (0, 60, 1));
}

#[test]
fn who_is_unproven_holds_little() {
    let account = budget().open();
    assert_eq!(stream(&account, 11).held(), 0);
    account.set_authenticated();
    assert_eq!(stream(&account, 11).held(), 11);
}

#[test]
fn who_holds_much_pays_also_beside_a_connection_of_idle_streams() {
    let limits = Limits { unauthenticated_bytes: 200_000, transport_bytes: 150_000, ..Limits::default() };
    let budget = Budget::new(limits);
    let (idle, busy) = (budget.open(), budget.open());
    let open = |account| unconnected(Opened::There, account, Acknowledging::default());
    let _idle: Vec<_> = (0..100).map(|_| open(&idle)).collect();
    let streams: Vec<_> = (0..4).map(|_| open(&busy)).collect();
    for n in 1..=20 {
        for (_, feed, _) in &streams {
            feed.message(frame::data(&[7; 10_000]));
            assert!(budget.held() <= limits.transport_bytes, "{} bytes after {n} messages each", budget.held());
        }
    }
    assert_eq!(budget.resets(), 4);
}

#[test]
fn of_nothing_that_can_be_freed_nobody_is_asked() {
    let budget = budget();
    let (first, second) = (budget.open(), budget.open());
    first.occupied(0, 200);
    first.relieve();
    assert_eq!((budget.held(), budget.resets()), (200, 0));
    assert_eq!(stream(&second, 5).held(), 0);
    first.occupied(200, 0);
    assert_eq!((budget.held(), stream(&second, 5).held()), (0, 5));
}

/// Frees nothing.
struct Stubborn(usize);

impl Holder for Stubborn {
    fn held(&self) -> usize {
        self.0
    }

    fn give_up(self: Arc<Self>, _: usize) {}
}

#[test]
fn who_frees_nothing_is_passed_over() {
    let budget = budget();
    let account = budget.open();
    account.set_authenticated();
    let small = stream(&account, 20);
    let stubborn: Arc<dyn Holder> = Arc::new(Stubborn(90));
    account.join(Arc::downgrade(&stubborn));
    account.changed(0, stubborn.held());
    let (done, relieved) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        account.relieve();
        done.send(()).unwrap();
    });
    relieved.recv_timeout(std::time::Duration::from_secs(10)).expect("it ends");
    assert_eq!((small.held(), budget.held(), budget.resets()), (0, 90, 2));
}
