use super::*;
use crate::{FinAckSupport, Opener, frame, stream::pending_stream};

struct Stream {
    held: AtomicUsize,
    memory: ConnectionBudget,
}

impl Holder for Stream {
    fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn release(self: Arc<Self>, _: usize) {
        self.memory.update_held(self.held.swap(0, Ordering::Relaxed), 0);
    }
}

fn stream(memory: &ConnectionBudget, bytes: usize) -> Arc<Stream> {
    let stream = Arc::new(Stream { held: AtomicUsize::new(bytes), memory: memory.clone() });
    memory.register(Arc::downgrade(&stream) as Weak<dyn Holder>);
    memory.update_held(0, bytes);
    memory.enforce();
    stream
}

fn budget() -> Budget {
    Budget::new(Limits { unauthenticated_bytes: 10, connection_bytes: 100, transport_bytes: 150, ..Limits::default() })
}

#[test]
fn the_largest_stream_of_a_connection_goes_first() {
    let budget = budget();
    let memory = budget.connection();
    memory.set_authenticated();
    let streams = [30, 50, 20].map(|bytes| stream(&memory, bytes));
    assert_eq!((budget.held(), budget.resets()), (100, 0));
    let last = stream(&memory, 1);
    assert_eq!(streams.each_ref().map(|stream| stream.held()), [30, 0, 20]);
    assert_eq!((last.held(), budget.held(), budget.resets()), (1, 51, 1));
}

#[test]
fn the_largest_connection_pays_for_all() {
    let budget = budget();
    let connections = [budget.connection(), budget.connection()];
    connections.iter().for_each(ConnectionBudget::set_authenticated);
    let large = stream(&connections[0], 90);
    let small = stream(&connections[1], 60);
    assert_eq!((large.held(), small.held()), (90, 60));
    let one_more = stream(&connections[1], 1);
    assert_eq!((large.held(), small.held(), one_more.held()), (0, 60, 1));
}

#[test]
fn who_is_unproven_holds_little() {
    let memory = budget().connection();
    assert_eq!(stream(&memory, 11).held(), 0);
    memory.set_authenticated();
    assert_eq!(stream(&memory, 11).held(), 11);
}

#[test]
fn who_holds_much_pays_also_beside_a_connection_of_idle_streams() {
    let limits = Limits { unauthenticated_bytes: 200_000, transport_bytes: 150_000, ..Limits::default() };
    let budget = Budget::new(limits);
    let (idle, busy) = (budget.connection(), budget.connection());
    let open = |memory| pending_stream(Opener::Remote, memory, FinAckSupport::default());
    let _idle: Vec<_> = (0..100).map(|_| open(&idle)).collect();
    let streams: Vec<_> = (0..4).map(|_| open(&busy)).collect();
    for n in 1..=20 {
        for (_, events, _) in &streams {
            events.on_message(frame::data(&[7; 10_000]));
            assert!(budget.held() <= limits.transport_bytes, "{} bytes after {n} messages each", budget.held());
        }
    }
    assert_eq!(budget.resets(), 4);
}

#[test]
fn of_nothing_that_can_be_freed_nobody_is_asked() {
    let budget = budget();
    let (first, second) = (budget.connection(), budget.connection());
    first.update_fixed(0, 200);
    first.enforce();
    assert_eq!((budget.held(), budget.resets()), (200, 0));
    assert_eq!(stream(&second, 5).held(), 0);
    first.update_fixed(200, 0);
    assert_eq!((budget.held(), stream(&second, 5).held()), (0, 5));
}

/// Frees nothing.
struct Stubborn(usize);

impl Holder for Stubborn {
    fn held(&self) -> usize {
        self.0
    }

    fn release(self: Arc<Self>, _: usize) {}
}

#[test]
fn who_frees_nothing_is_passed_over() {
    let budget = budget();
    let memory = budget.connection();
    memory.set_authenticated();
    let small = stream(&memory, 20);
    let stubborn: Arc<dyn Holder> = Arc::new(Stubborn(90));
    memory.register(Arc::downgrade(&stubborn));
    memory.update_held(0, stubborn.held());
    let (done, relieved) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        memory.enforce();
        done.send(()).unwrap();
    });
    relieved.recv_timeout(std::time::Duration::from_secs(10)).expect("it ends");
    assert_eq!((small.held(), budget.held(), budget.resets()), (0, 90, 2));
}
