//! Other programs at a hub: what they say to each other, what the hub asks of them, and what a flood of them costs.

mod support;

use std::{collections::BTreeSet, time::Duration};

use libp2p::{Multiaddr, PeerId, gossipsub, swarm::SwarmEvent};
use support::{
    Hub, PATIENCE, http,
    node::{peer, total, until},
    stock::{ProtocolsEvent, Stock},
    tincan,
};
use tincan_shared::{Event, MessageState, identity::Keypair, room::frame};

/// universal-connectivity's topics.
const CHAT: &str = "universal-connectivity";
const DISCOVERY: &str = "universal-connectivity-browser-peer-discovery";
/// What js-libp2p's pubsub-peer-discovery says: a public key and addresses, as protobuf.
const ADVERT: &[u8] = b"\x0a\x24\x08\x01\x12\x20\xff\xfe\x12\x08\x04\x7f\x00\x00\x01\x06\x12\x67";
/// Payloads that a flood has: far above what a source may say at once.
const FLOOD: u32 = 200;
/// What a source may say at once, as docs/operating.md has it: two seconds' worth.
const AT_ONCE: u64 = 16;
/// Times the longest payload is said.
const ROUNDS: usize = 3;
/// More a second.
const A_SECOND: u64 = 8;
/// Peers that say more together than one hub takes of another.
const LOUD: usize = 6;
/// Between two payloads of one of them: a little less than a source may say.
const LOUD_EVERY: Duration = Duration::from_millis(150);
/// The calm one says something every so many times that the loud ones do: less than once a second.
const CALM_EVERY: u32 = 8;
/// Times that the calm one says something; and how often before it is clear who is loud.
const CALM_LINES: u32 = 12;
const UNTIL_CLEAR: u32 = 3;

fn place(hub: &Hub) -> Multiaddr {
    hub.address("tcp").parse().expect("an address")
}

/// Two peers of another program at a hub, in these rooms.
async fn two_strangers(hub: &Multiaddr, rooms: &[&str]) -> [Stock; 2] {
    let mut both = [Stock::new(), Stock::new()];
    for stock in &mut both {
        stock.dial(hub);
        for room in rooms {
            stock.subscribe(room);
        }
        let mut carried = BTreeSet::new();
        while carried.len() < rooms.len() {
            carried.insert(stock.until(subscribed).await);
        }
    }
    both
}

fn subscribed(event: &SwarmEvent<ProtocolsEvent>) -> Option<String> {
    match event {
        SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Subscribed { topic, .. })) => {
            Some(topic.to_string())
        }
        _ => None,
    }
}

fn message(event: &SwarmEvent<ProtocolsEvent>) -> Option<(Option<PeerId>, Vec<u8>)> {
    match event {
        SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
            Some((message.source, message.data.clone()))
        }
        _ => None,
    }
}

/// Has one say it until the other hears it: the mesh of a fresh room forms meanwhile.
async fn hears(speaker: &mut Stock, listener: &mut Stock, room: &str, payload: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
    for n in 0..u8::MAX {
        speaker.publish(room, &payload(n));
        let source = Some(speaker.id);
        tokio::select! {
            heard = listener.until(|event| message(event).filter(|(from, _)| *from == source)) => return heard.1,
            () = speaker.run() => unreachable!("it runs for ever"),
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
    }
    panic!("nothing came through");
}

fn advert(n: u8) -> Vec<u8> {
    [ADVERT, &[n]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adverts_and_long_texts_of_other_programs_pass_a_hub_and_one_frame_does_not_stop_them() {
    let flags = tincan(&format!("{} --ephemeral", support::HUB_FLAGS)).env("RUST_LOG", "tincan_shared=debug");
    let mut hub = Hub::of(flags);
    let [mut one, mut two] = two_strangers(&place(&hub), &[CHAT, DISCOVERY]).await;
    assert!(hears(&mut one, &mut two, DISCOVERY, advert).await.starts_with(ADVERT));

    // A stranger's frame, valid in every way.
    let key = Keypair::generate_ed25519();
    let body = frame::Body::Message { nick: "n".into(), text: "ours now?".into() };
    let time_ms = support::node::now_ms();
    let draft = frame::Draft { room: DISCOVERY, sequence: time_ms, previous: 0, time_ms, body: &body };
    let framed = frame::sign(&key, &draft).expect("a frame").bytes;
    two.publish(DISCOVERY, &framed);
    tokio::select! {
        heard = one.until(|event| message(event).filter(|(_, data)| data[0] == frame::MARK)) => assert_eq!(heard.1, framed),
        () = two.run() => unreachable!("it runs for ever"),
    }
    for _ in 0..2 {
        assert!(hears(&mut two, &mut one, DISCOVERY, advert).await.starts_with(ADVERT));
    }

    for size in [4097, 16 * 1024, 54 * 1024] {
        let long = |n: u8| [vec![n % 26 + b'a'], vec![b'x'; size - 1]].concat();
        assert_eq!(hears(&mut one, &mut two, CHAT, long).await.len(), size, "as it was said");
    }
    assert_eq!(http::counter(&hub.http, "offences"), 0);
    drop((one, two));
    hub.running.err.containing("connection closed");
    let log = &hub.running.err.seen;
    let asked: Vec<_> = log.iter().filter(|line| line.contains("sync failed")).collect();
    assert!(asked.is_empty(), "who does not know the protocol is not asked: {asked:#?}");
}

/// gossipsub's reader closes the stream when it holds more than 64 KiB at once, whichever messages they belong to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_payloads_cost_nobody_what_follows_them() {
    let hub = Hub::start();
    let [mut loud, mut calm] = two_strangers(&place(&hub), &[CHAT]).await;
    let (ann, mut ann_hears) = peer(&place(&hub), "ann");
    ann.join(CHAT, true).await.expect("joined");
    hears(&mut loud, &mut calm, CHAT, |n| format!("hello {n}").into_bytes()).await;
    total(&mut ann_hears, CHAT, 2, PATIENCE).await;
    for round in 0..ROUNDS {
        // The reader takes 8 KiB at a time: the first puts the end of the longest beside the beginning of the next.
        let (first, longest) = (vec![b'a'; 3 * 1024], vec![b'x'; 62 * 1024]);
        let next = format!("{round}{}", "y".repeat(8 * 1024));
        for payload in [first.as_slice(), longest.as_slice(), next.as_bytes()] {
            loud.publish(CHAT, payload);
        }
        let after = format!("after {round}");
        loud.publish(CHAT, after.as_bytes());
        let speaker = Some(loud.id);
        tokio::select! {
            () = calm.until(|event| {
                let (from, data) = message(event)?;
                (from == speaker && data == next.as_bytes()).then_some(())
            }) => {}
            () = loud.run() => unreachable!("it runs for ever"),
            () = tokio::time::sleep(PATIENCE) => panic!("what followed the longest payload was lost, in round {round}"),
        }
        let says_after = |event: Event| matches!(event, Event::Message(message) if message.text == after).then_some(());
        tokio::select! {
            () = until(&mut ann_hears, PATIENCE, says_after) => {}
            () = async { tokio::join!(loud.run(), calm.run()); } => unreachable!("they run for ever"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_room_of_ours_what_is_no_frame_and_no_text_goes_no_further() {
    let hub = Hub::start();
    let (ann, mut ann_hears) = peer(&place(&hub), "ann");
    let (bob, mut bob_hears) = peer(&place(&hub), "bob");
    for node in [&ann, &bob] {
        node.join(CHAT, false).await.expect("joined");
    }
    tokio::join!(total(&mut ann_hears, CHAT, 1, PATIENCE), total(&mut bob_hears, CHAT, 1, PATIENCE));
    let [mut one, mut two] = two_strangers(&place(&hub), &[CHAT]).await;
    hears(&mut one, &mut two, CHAT, |n| format!("hello {n}").into_bytes()).await;
    let ignored = http::counter(&hub.http, "payloads_ignored");
    one.publish(CHAT, ADVERT);
    one.publish(CHAT, b"the last word");
    let speaker = Some(one.id);
    let last = |event: &SwarmEvent<ProtocolsEvent>| {
        let (from, data) = message(event)?;
        assert!(!data.starts_with(ADVERT), "an advert in a room of ours");
        (from == speaker && data == b"the last word").then_some(())
    };
    tokio::select! {
        () = two.until(last) => {}
        () = one.run() => unreachable!("it runs for ever"),
    }
    assert!(http::counter(&hub.http, "payloads_ignored") > ignored);
    assert_eq!(http::counter(&hub.http, "foreign_forwarded"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_source_is_cut_to_its_budget_and_costs_nobody_else_theirs() {
    let hub = Hub::start();
    let [mut loud, mut calm] = two_strangers(&place(&hub), &[DISCOVERY]).await;
    hears(&mut loud, &mut calm, DISCOVERY, advert).await;
    let begun = std::time::Instant::now();
    let before = http::counter(&hub.http, "foreign_forwarded");
    let mut sent = 0u32;
    let judged = || http::counter(&hub.http, "foreign_forwarded") + http::counter(&hub.http, "foreign_dropped");
    let all_before = judged();
    while judged() < all_before + u64::from(FLOOD) {
        // As fast as the connection takes them, some at a time.
        for _ in 0..20 {
            sent += 1;
            loud.publish(DISCOVERY, &[ADVERT, &sent.to_be_bytes()].concat());
        }
        tokio::select! {
            () = loud.run() => unreachable!("it runs for ever"),
            () = calm.run() => unreachable!("it runs for ever"),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
    let passed = http::counter(&hub.http, "foreign_forwarded") - before;
    let allowed = AT_ONCE + A_SECOND * (begun.elapsed().as_secs() + 1);
    assert!(passed <= allowed, "{passed} of {sent} went through, {allowed} may");
    assert!(passed >= A_SECOND, "{passed} of {sent} went through");
    assert!(hears(&mut calm, &mut loud, DISCOVERY, advert).await.starts_with(ADVERT), "the other has its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_another_hub_loud_peers_do_not_silence_a_calm_one() {
    let near = Hub::start();
    let far = Hub::of(tincan(&format!("{} --ephemeral --bootstrap {}", support::HUB_FLAGS, place(&near))));
    let mut listener = Stock::new();
    listener.dial(&place(&near));
    let [mut calm, mut first] = two_strangers(&place(&far), &[CHAT]).await;
    listener.subscribe(CHAT);
    listener.until_subscribed(CHAT).await;
    hears(&mut calm, &mut first, CHAT, advert).await;
    hears(&mut calm, &mut listener, CHAT, advert).await;
    let mut loud = vec![first];
    while loud.len() < LOUD {
        let mut one = Stock::new();
        one.dial(&place(&far));
        one.subscribe(CHAT);
        one.until_subscribed(CHAT).await;
        loud.push(one);
    }
    let (mut said, mut heard) = (0_u32, BTreeSet::new());
    let speaker = calm.id;
    let calm_line = |event: &SwarmEvent<ProtocolsEvent>| {
        let (from, data) = message(event)?;
        let data = data.strip_prefix(b"\x80calm")?.to_vec();
        (from == Some(speaker)).then(|| u32::from_be_bytes(data.try_into().expect("a number")))
    };
    // Paced by the clock, since what is bounded is a rate.
    let mut pace = tokio::time::interval(LOUD_EVERY);
    for n in 0..CALM_EVERY * CALM_LINES {
        for one in &mut loud {
            one.publish(CHAT, &[b"\x80loud".as_slice(), &n.to_be_bytes(), &one.id.to_bytes()].concat());
        }
        if n % CALM_EVERY == 0 {
            calm.publish(CHAT, &[b"\x80calm".as_slice(), &said.to_be_bytes()].concat());
            said += 1;
        }
        let everybody = async {
            let loud = futures::future::join_all(loud.iter_mut().map(Stock::run));
            tokio::join!(calm.run(), loud);
        };
        let hears = async {
            loop {
                heard.insert(listener.until(calm_line).await);
            }
        };
        tokio::select! {
            _ = pace.tick() => {}
            () = everybody => unreachable!("they run for ever"),
            () = hears => unreachable!("it runs for ever"),
        }
    }
    tokio::select! {
        () = async { while !heard.contains(&(said - 1)) { heard.insert(listener.until(calm_line).await); } } => {}
        () = calm.run() => unreachable!("it runs for ever"),
    }
    let missing: Vec<u32> = (UNTIL_CLEAR..said).filter(|n| !heard.contains(n)).collect();
    assert!(
        missing.is_empty(),
        "of {said} lines of the calm one these were not heard behind the other hub: {missing:?}"
    );
    assert!(http::counter(&near.http, "foreign_dropped") > 0, "the loud ones said more than one hub takes of another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_that_names_an_honest_peer_speaks_for_itself() {
    let hub = Hub::start();
    let mut terminal = tincan(&format!("chat --ephemeral --nick tom --room {CHAT} {}", place(&hub))).start();
    let (ann, mut ann_hears) = peer(&place(&hub), "ann");
    let (bob, mut bob_hears) = peer(&place(&hub), "bob");
    for node in [&ann, &bob] {
        node.join(CHAT, false).await.expect("joined");
    }
    tokio::join!(total(&mut ann_hears, CHAT, 2, PATIENCE), total(&mut bob_hears, CHAT, 2, PATIENCE));
    let mut liar = Stock::new();
    liar.dial(&place(&hub));
    liar.subscribe(CHAT);
    liar.until_subscribed(CHAT).await;

    let key = Keypair::generate_ed25519();
    let signer = key.public().to_peer_id();
    let body = frame::Body::Bridged {
        source: ann.peer_id().to_bytes(),
        number: vec![1],
        text: "I owe the liar a beer".into(),
    };
    let draft =
        frame::Draft { room: CHAT, sequence: u64::MAX, previous: 0, time_ms: support::node::now_ms(), body: &body };
    let forged = frame::sign(&key, &draft).expect("a frame").bytes;
    let said = async {
        until(&mut bob_hears, PATIENCE, |event| match event {
            Event::Message(message) if message.state == MessageState::Received => Some(message),
            _ => None,
        })
        .await
    };
    liar.publish(CHAT, &forged);
    let heard = tokio::select! {
        heard = said => heard,
        () = liar.run() => unreachable!("it runs for ever"),
    };
    assert_eq!((heard.from, heard.sequence), (signer, 0));
    assert_eq!(heard.claimed_source, Some(ann.peer_id().to_base58()));
    for n in 0..3 {
        ann.say(CHAT, format!("line {n}")).await.expect("said");
        let line = until(&mut bob_hears, PATIENCE, |event| match event {
            Event::Message(message) if message.from == ann.peer_id() => Some(message),
            _ => None,
        });
        assert_eq!(line.await.text, format!("line {n}"));
    }
    let short = tincan_shared::short_id(&ann.peer_id());
    let printed: Vec<String> =
        tokio::task::spawn_blocking(move || (0..4).map(|_| terminal.out.next()).collect()).await.expect("lines");
    let signer = tincan_shared::short_id(&signer);
    assert_eq!(printed[0], format!("[{CHAT}] {short} via bridge ({signer}): I owe the liar a beer"));
    let of_ann: Vec<String> = (0..3).map(|n| format!("[{CHAT}] ann ({short}): line {n}")).collect();
    assert_eq!(printed[1..], of_ann);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_with_frames_in_another_programs_room_says_so_and_as_plain_it_does_not() {
    let hub = Hub::start();
    let [mut one, mut two] = two_strangers(&place(&hub), &[CHAT]).await;
    let start = |flags: &str| tincan(&format!("chat --ephemeral --room {CHAT} {flags} {}", place(&hub))).start();
    let (mut framed, mut plain) = (start(""), start("--plain"));
    let seen = tokio::task::spawn_blocking(move || {
        let said = framed.err.containing("use another program");
        plain.line("hello as text");
        (said, framed, plain)
    });
    let (said, _framed, mut plain) = tokio::select! {
        seen = seen => seen.expect("it says so"),
        () = one.run() => unreachable!("it runs for ever"),
        () = two.run() => unreachable!("it runs for ever"),
    };
    assert!(said.contains("--plain"), "{said}");
    tokio::select! {
        _ = one.until(|event| message(event).filter(|(_, data)| data == b"hello as text")) => {}
        () = two.run() => unreachable!("it runs for ever"),
    }
    two.publish(CHAT, b"welcome");
    let heard = tokio::task::spawn_blocking(move || plain.out.next());
    let heard = tokio::select! {
        heard = heard => heard.expect("a line"),
        () = one.run() => unreachable!("it runs for ever"),
        () = two.run() => unreachable!("it runs for ever"),
    };
    assert_eq!(heard, format!("[{CHAT}] guest ({}): welcome", tincan_shared::short_id(&two.id)));
}
