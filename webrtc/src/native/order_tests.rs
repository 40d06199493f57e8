use super::*;

fn piece(tsn: u32, stream: u16, number: u16, begins: bool, ends: bool) -> Data<'static> {
    Data { tsn, stream, number: Some(number), begins, ends, protocol: 53, payload: b"x" }
}

fn whole(tsn: u32, stream: u16, number: u16) -> Data<'static> {
    piece(tsn, stream, number, true, true)
}

fn order() -> Order {
    let mut order = Order::default();
    order.begin(u32::MAX - 2);
    order
}

fn tsn(n: u32) -> u32 {
    (u32::MAX - 2).wrapping_add(n)
}

#[test]
fn what_is_sent_in_order_passes_however_it_arrives() {
    let sent = [
        whole(tsn(0), 0, 0),
        piece(tsn(1), 2, 0, true, false),
        piece(tsn(2), 2, 0, false, false),
        piece(tsn(3), 2, 0, false, true),
        whole(tsn(4), 0, 1),
        whole(tsn(5), 2, 1),
    ];
    for turn in 0..sent.len() {
        let mut order = order();
        let mut arrives = sent;
        arrives.rotate_left(turn);
        for data in arrives.iter().chain(&sent) {
            assert_eq!(order.came(data), Ok(()), "{data:?}");
        }
        assert!(order.ahead.is_empty() && order.amid.is_none());
    }
}

#[test]
fn what_would_be_kept_for_ever_is_disorder() {
    let begun = piece(tsn(0), 2, 0, true, false);
    for (first, second) in [
        (begun, whole(tsn(1), 4, 0)),
        (begun, piece(tsn(1), 2, 0, true, true)),
        (whole(tsn(0), 2, 0), piece(tsn(1), 2, 1, false, false)),
        (whole(tsn(0), 2, 0), whole(tsn(1), 2, 2)),
        (whole(tsn(0), 2, 0), whole(tsn(1), 4, 1)),
    ] {
        let mut order = order();
        assert_eq!(order.came(&second), Ok(()), "nobody knows yet");
        assert_eq!(order.came(&first), Err(Disorder), "{second:?}");
    }
    let mut order = order();
    order.came(&begun).unwrap();
    let ended = (1..=MAX_PIECES as u32 + 1).find(|n| order.came(&piece(tsn(*n), 2, 0, false, false)).is_err());
    assert_eq!(ended, Some(MAX_PIECES as u32));
}

#[test]
fn a_stream_that_begins_anew_counts_anew() {
    let mut order = order();
    let reset = |n: u32, after| Reset { request: tsn(n - 1), response: 0, after: tsn(after), streams: vec![2] };
    order.came(&whole(tsn(0), 2, 0)).unwrap();
    assert!(!order.reset(&reset(3, 1)), "the first one is numbered as the first chunk");
    assert!(order.reset(&reset(1, 1)), "before the last chunk has come");
    assert!(!order.reset(&reset(2, 1)), "one at a time");
    assert!(order.begun_anew().is_empty());
    order.came(&whole(tsn(1), 2, 1)).unwrap();
    assert_eq!((order.begun_anew(), order.begun_anew()), (vec![2], vec![]));
    order.came(&whole(tsn(2), 2, 0)).unwrap();
    assert!(!order.reset(&reset(1, 1)), "the same again");
    order.came(&whole(tsn(3), 2, 1)).unwrap();
    assert!(order.reset(&reset(2, 3)));
    assert_eq!(order.came(&whole(tsn(4), 2, 2)), Err(Disorder));
}

#[test]
fn a_stream_is_not_used_again_before_the_request_to_reset_it_is_answered() {
    let mut order = order();
    let early = |order: &Order, n, stream| order.is_early(&whole(tsn(n), stream, 0));
    assert!(order.reset(&Reset { request: tsn(0), response: 0, after: tsn(1), streams: vec![2] }));
    assert!(early(&order, 2, 2) && !early(&order, 1, 2) && !early(&order, 2, 4));
    order.came(&whole(tsn(0), 2, 0)).unwrap();
    order.came(&whole(tsn(1), 2, 1)).unwrap();
    assert!(early(&order, 2, 2), "the association has not read the stream yet");
    assert!(order.reset(&Reset { request: tsn(1), response: 0, after: tsn(1), streams: vec![] }));
    assert!(early(&order, 2, 4));
    order.answered(tsn(0));
    assert!(early(&order, 2, 2), "the second request names all streams");
    order.answered(tsn(1));
    assert!(!early(&order, 2, 2) && !early(&order, 2, 4));
}

#[test]
fn runs_behind_a_gap_are_few() {
    let mut order = order();
    let max = MAX_RUNS as u32;
    for n in 1..=max {
        assert!(!order.is_ragged([tsn(2 * n)].into_iter()));
        order.came(&whole(tsn(2 * n), 0, 2 * n as u16)).unwrap();
    }
    assert_eq!(order.runs, MAX_RUNS);
    assert!(order.is_ragged([tsn(2 * max + 2)].into_iter()));
    assert!(!order.is_ragged((0..=2 * max + 9).map(tsn)), "what was missing, and more that goes on from there");
    assert!(!order.is_ragged([tsn(0), tsn(1), tsn(2 * max + 1)].into_iter()));
    for n in (0..2 * max).filter(|n| *n == 0 || n % 2 == 1) {
        order.came(&whole(tsn(n), 0, n as u16)).unwrap();
    }
    assert_eq!(order.runs, 0);
}

#[test]
fn what_is_far_ahead_is_told() {
    let mut order = order();
    assert!(!order.is_far(tsn(MAX_AHEAD - 1)) && order.is_far(tsn(MAX_AHEAD)));
    order.came(&whole(tsn(0), 0, 0)).unwrap();
    assert!(!order.is_far(tsn(MAX_AHEAD)) && !order.is_far(tsn(0)));
}

#[test]
fn the_number_of_a_message_begins_anew_after_65_535() {
    let mut order = order();
    order.next.insert(2, 65_530);
    for (n, number) in (65_530..=u16::MAX).chain(0..5).enumerate() {
        assert_eq!(order.came(&whole(tsn(n as u32), 2, number)), Ok(()), "{number}");
    }
}

#[test]
fn a_number_that_is_repeated_is_disorder() {
    let mut order = order();
    order.came(&whole(tsn(0), 2, 0)).unwrap();
    order.came(&whole(tsn(1), 2, 1)).unwrap();
    assert_eq!(order.came(&whole(tsn(2), 2, 0)), Err(Disorder));
}

#[test]
fn a_reset_of_all_streams_begins_each_anew() {
    let mut order = order();
    for (n, stream) in [2, 4].into_iter().enumerate() {
        order.came(&whole(tsn(n as u32), stream, 0)).unwrap();
    }
    assert!(order.reset(&Reset { request: tsn(0), response: 0, after: tsn(1), streams: vec![] }));
    order.answered(tsn(0));
    for (n, stream) in [2, 4].into_iter().enumerate() {
        assert_eq!(order.came(&whole(tsn(2 + n as u32), stream, 0)), Ok(()), "{stream}");
    }
    assert_eq!(order.came(&whole(tsn(4), 2, 2)), Err(Disorder), "and goes on from there");
}

#[test]
fn who_says_again_how_it_began_is_not_counted_anew() {
    let mut order = order();
    order.came(&whole(tsn(0), 2, 0)).unwrap();
    let reset = |n| Reset { request: tsn(n), response: 0, after: tsn(0), streams: vec![4] };
    assert!(order.reset(&reset(0)));
    order.begin(tsn(0));
    assert!(!order.is_new(&reset(0)) && !order.reset(&reset(0)), "that request has come");
    order.came(&whole(tsn(0), 2, 0)).unwrap();
    assert_eq!(order.came(&whole(tsn(1), 2, 1)), Ok(()), "the first chunk came again, and was passed over");
}
