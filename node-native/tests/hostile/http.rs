//! The page's HTTP.

use super::{
    dice::Dice,
    plan::{End, Plan, Step},
};

const OPENING: &[u8] = b"GET /api/v1/node HTTP/1.1\r\nHost: hub.test\r\nAccept: */*\r\n\r\n";
const PATHS: [&str; 8] = [
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "//etc/passwd",
    "/%00",
    "/\\..\\..\\",
    "/%ff%fe%fd",
    "/healthz/../../../key",
];
const LINES: [&[u8]; 10] = [
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  HTTP/1.1\r\n\r\n",
    b"G\xffT / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nffffffffffffffff\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
];

pub fn plan(dice: &mut Dice) -> Plan {
    let end = *dice.pick(&[End::Leave, End::Reset, End::Stay]);
    let send = |text: String| [Step::Send(text.into_bytes())];
    let host = "HTTP/1.1\r\nHost: hub.test\r\n";
    match dice.below(20) {
        0 | 1 => Plan::new("a malformed request", [Step::Send(dice.pick(&LINES).to_vec())], end),
        2 => Plan::new("out of the page's directory", send(format!("GET {} {host}\r\n", dice.pick(&PATHS))), end),
        3 => Plan::new(
            "a header without end",
            [Step::Send(b"GET / HTTP/1.1\r\nA: ".to_vec()), Step::Pour(vec![b'a'; 4096])],
            End::Stay,
        ),
        4 => Plan::new(
            "headers without end",
            [Step::Send(b"GET / HTTP/1.1\r\n".to_vec()), Step::Pour(b"A: b\r\n".repeat(500))],
            End::Stay,
        ),
        5 => Plan::new("a path without end", [Step::Send(b"GET /".to_vec()), Step::Pour(vec![b'p'; 4096])], End::Stay),
        6 => Plan::new(
            "a header, drop by drop",
            [Step::Send(b"GET / HTTP/1.1\r\n".to_vec()), Step::Drip(b"X: y\r\n".repeat(50))],
            End::Stay,
        ),
        7 => {
            let method = dice.pick(&["GET", "POST", "PUT", "DELETE", "BREW"]);
            let head = format!("{method} /api/v1/node {host}Content-Length: 99999999999\r\n\r\n");
            Plan::new("a huge body", [Step::Send(head.into_bytes()), Step::Pour(vec![0; 4096])], End::Stay)
        }
        8 => {
            let head = format!("POST / {host}Transfer-Encoding: chunked\r\n\r\n");
            let chunk = [b"1000\r\n".as_slice(), &[b'c'; 4096], b"\r\n"].concat();
            Plan::new("chunks without end", [Step::Send(head.into_bytes()), Step::Pour(chunk)], End::Stay)
        }
        9 => {
            let head = format!("POST /healthz {host}Content-Length: 1000\r\n\r\n");
            Plan::new("a body, drop by drop", [Step::Send(head.into_bytes()), Step::Drip(vec![b'b'; 200])], End::Stay)
        }
        10 => Plan::new("requests in a row", [Step::Send(OPENING.repeat(dice.between(2, 200)))], end),
        11 => Plan::new(
            "requests in a row, answers unread",
            [Step::Send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(200))],
            End::StayDeaf,
        ),
        12 => {
            let many: String = (0..dice.between(90, 400)).map(|n| format!("H{n}: v\r\n")).collect();
            Plan::new("many headers", send(format!("GET / {host}{many}\r\n")), end)
        }
        13 => Plan::new(
            "a TLS greeting",
            [Step::Send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec())],
            End::Stay,
        ),
        _ => Plan::common(dice, OPENING),
    }
}
