use super::*;

fn piece(tsn: u32, stream: u16, ssn: u16, begins: bool, ends: bool) -> Data<'static> {
    Data { tsn, stream, ssn: Some(ssn), begins, ends, ppid: 53, payload: b"x" }
}

fn whole(tsn: u32, stream: u16, ssn: u16) -> Data<'static> {
    piece(tsn, stream, ssn, true, true)
}

fn order() -> ReceiveOrder {
    let mut order = ReceiveOrder::default();
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
            assert_eq!(order.received(data), Ok(()), "{data:?}");
        }
        assert!(order.out_of_order.is_empty() && order.partial.is_none());
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
        assert_eq!(order.received(&second), Ok(()), "nobody knows yet");
        assert_eq!(order.received(&first), Err(Disorder), "{second:?}");
    }
    let mut order = order();
    order.received(&begun).unwrap();
    let ended = (1..=MAX_PIECES as u32 + 1).find(|n| order.received(&piece(tsn(*n), 2, 0, false, false)).is_err());
    assert_eq!(ended, Some(MAX_PIECES as u32));
}

#[test]
fn a_stream_that_begins_anew_counts_anew() {
    let mut order = order();
    let reset =
        |n: u32, last_tsn| Reset { request: tsn(n - 1), response_seq: 0, last_tsn: tsn(last_tsn), streams: vec![2] };
    order.received(&whole(tsn(0), 2, 0)).unwrap();
    assert!(!order.reset(&reset(3, 1)), "the first one is numbered as the first chunk");
    assert!(order.reset(&reset(1, 1)), "before the last chunk has come");
    assert!(!order.reset(&reset(2, 1)), "one at a time");
    assert!(order.take_reset_streams().is_empty());
    order.received(&whole(tsn(1), 2, 1)).unwrap();
    assert_eq!((order.take_reset_streams(), order.take_reset_streams()), (vec![2], vec![]));
    order.received(&whole(tsn(2), 2, 0)).unwrap();
    assert!(!order.reset(&reset(1, 1)), "the same again");
    order.received(&whole(tsn(3), 2, 1)).unwrap();
    assert!(order.reset(&reset(2, 3)));
    assert_eq!(order.received(&whole(tsn(4), 2, 2)), Err(Disorder));
}

#[test]
fn a_stream_is_not_used_again_before_the_request_to_reset_it_is_answered() {
    let mut order = order();
    let early = |order: &ReceiveOrder, n, stream| order.is_early(&whole(tsn(n), stream, 0));
    assert!(order.reset(&Reset { request: tsn(0), response_seq: 0, last_tsn: tsn(1), streams: vec![2] }));
    assert!(early(&order, 2, 2) && !early(&order, 1, 2) && !early(&order, 2, 4));
    order.received(&whole(tsn(0), 2, 0)).unwrap();
    order.received(&whole(tsn(1), 2, 1)).unwrap();
    assert!(early(&order, 2, 2), "the association has not read the stream yet");
    assert!(order.reset(&Reset { request: tsn(1), response_seq: 0, last_tsn: tsn(1), streams: vec![] }));
    assert!(early(&order, 2, 4));
    order.answered(tsn(0));
    assert!(early(&order, 2, 2), "the second request names all streams");
    order.answered(tsn(1));
    assert!(!early(&order, 2, 2) && !early(&order, 2, 4));
}

#[test]
fn runs_behind_a_gap_are_few() {
    let mut order = order();
    let max = MAX_GAP_BLOCKS as u32;
    for n in 1..=max {
        assert!(!order.exceeds_gap_blocks([tsn(2 * n)].into_iter()));
        order.received(&whole(tsn(2 * n), 0, 2 * n as u16)).unwrap();
    }
    assert_eq!(order.gap_blocks, MAX_GAP_BLOCKS);
    assert!(order.exceeds_gap_blocks([tsn(2 * max + 2)].into_iter()));
    assert!(
        !order.exceeds_gap_blocks((0..=2 * max + 9).map(tsn)),
        "what was missing, and more that goes on from there"
    );
    assert!(!order.exceeds_gap_blocks([tsn(0), tsn(1), tsn(2 * max + 1)].into_iter()));
    for n in (0..2 * max).filter(|n| *n == 0 || n % 2 == 1) {
        order.received(&whole(tsn(n), 0, n as u16)).unwrap();
    }
    assert_eq!(order.gap_blocks, 0);
}

#[test]
fn what_is_far_ahead_is_told() {
    let mut order = order();
    assert!(!order.is_too_far(tsn(MAX_OUT_OF_ORDER - 1)) && order.is_too_far(tsn(MAX_OUT_OF_ORDER)));
    order.received(&whole(tsn(0), 0, 0)).unwrap();
    assert!(!order.is_too_far(tsn(MAX_OUT_OF_ORDER)) && !order.is_too_far(tsn(0)));
}

#[test]
fn the_number_of_a_message_begins_anew_after_65_535() {
    let mut order = order();
    order.next_ssn.insert(2, 65_530);
    for (n, ssn) in (65_530..=u16::MAX).chain(0..5).enumerate() {
        assert_eq!(order.received(&whole(tsn(n as u32), 2, ssn)), Ok(()), "{ssn}");
    }
}

#[test]
fn a_number_that_is_repeated_is_disorder() {
    let mut order = order();
    order.received(&whole(tsn(0), 2, 0)).unwrap();
    order.received(&whole(tsn(1), 2, 1)).unwrap();
    assert_eq!(order.received(&whole(tsn(2), 2, 0)), Err(Disorder));
}

#[test]
fn a_reset_of_all_streams_begins_each_anew() {
    let mut order = order();
    for (n, stream) in [2, 4].into_iter().enumerate() {
        order.received(&whole(tsn(n as u32), stream, 0)).unwrap();
    }
    assert!(order.reset(&Reset { request: tsn(0), response_seq: 0, last_tsn: tsn(1), streams: vec![] }));
    order.answered(tsn(0));
    for (n, stream) in [2, 4].into_iter().enumerate() {
        assert_eq!(order.received(&whole(tsn(2 + n as u32), stream, 0)), Ok(()), "{stream}");
    }
    assert_eq!(order.received(&whole(tsn(4), 2, 2)), Err(Disorder), "and goes on from there");
}

#[test]
fn who_says_again_how_it_began_is_not_counted_anew() {
    let mut order = order();
    order.received(&whole(tsn(0), 2, 0)).unwrap();
    let reset = |n| Reset { request: tsn(n), response_seq: 0, last_tsn: tsn(0), streams: vec![4] };
    assert!(order.reset(&reset(0)));
    order.begin(tsn(0));
    assert!(!order.is_new(&reset(0)) && !order.reset(&reset(0)), "that request has come");
    order.received(&whole(tsn(0), 2, 0)).unwrap();
    assert_eq!(order.received(&whole(tsn(1), 2, 1)), Ok(()), "the first chunk came again, and was passed over");
}
