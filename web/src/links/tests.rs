use js_sys::{Function, RegExp};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::Part::{Link, Text};
use super::*;

/// The links of a line.
fn links(text: &str) -> Vec<&str> {
    let links = |part| if let Link(link) = part { Some(link) } else { None };
    parts(text).into_iter().filter_map(links).collect()
}

#[test]
fn only_web_addresses_become_links() {
    assert_eq!(parts("no link"), [Text("no link")]);
    assert_eq!(parts(""), []);
    assert_eq!(parts("see https://a.example/b."), [Text("see "), Link("https://a.example/b"), Text(".")]);
    assert_eq!(parts("HTTP://A.example"), [Link("HTTP://A.example")]);
    for text in [
        "javascript:alert(1)",
        "javascript://a.example/%0aalert(1)",
        "data:text/html,x",
        "ftp://a.example",
        "http:/x",
        "https://",
        "http://-a.example",
        "http://[",
        "://a.example",
        "httpx",
        "xhttp://a.example",
        "1https://a.example",
    ] {
        assert_eq!(parts(text), [Text(text)], "{text}");
    }
}

#[test]
fn punctuation_around_a_link_stays_text() {
    assert_eq!(parts("(http://a.example)"), [Text("("), Link("http://a.example"), Text(")")]);
    assert_eq!(parts("http://a.example/x_(y)!"), [Link("http://a.example/x_(y)"), Text("!")]);
    assert_eq!(parts("<http://a.example>"), [Text("<"), Link("http://a.example"), Text(">")]);
    for (text, link) in [
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("http://a_b.example/", "http://a_b.example/"),
        ("[text](https://a.example/b)", "https://a.example/b"),
        ("**https://a.example/b**", "https://a.example/b"),
        ("'https://a.example/b'", "https://a.example/b"),
        ("\"https://a.example/b\"c", "https://a.example/b"),
        ("`https://a.example/b`", "https://a.example/b"),
        ("{\"url\":\"https://a.example/{b}\"}", "https://a.example/{b}"),
        ("https://a.example/it's", "https://a.example/it's"),
        ("https://a.example#f(x)", "https://a.example#f(x)"),
        ("https://a.example/?a=b&c[]=d;e", "https://a.example/?a=b&c[]=d;e"),
        ("(see https://a.example/(b)), there", "https://a.example/(b)"),
        ("https://a.example...", "https://a.example"),
    ] {
        assert_eq!(links(text), [link], "{text}");
    }
}

#[test]
fn other_scripts_may_stand_before_a_link_and_in_it() {
    assert_eq!(
        parts("é http://a.example ü\nhttps://b.example"),
        [Text("é "), Link("http://a.example"), Text(" ü\n"), Link("https://b.example")]
    );
    assert_eq!(parts("httpé https://ä.example/ö"), [Text("httpé "), Link("https://ä.example/ö")]);
    assert_eq!(parts("看https://example.com/a"), [Text("看"), Link("https://example.com/a")]);
    for link in [
        "https://例え.テスト/パス?問=答#節",
        "https://हिन्दी.भारत/पथ",
        "https://ไทย.ไทย/ที่นี่",
        "https://مثال.إختبار/صفحة",
        "https://דוגמה.טעסט/נק׳ודה",
        "https://παράδειγμα.δοκιμή/σελίδα",
        "https://ja.wikipedia.org/wiki/レオナルド・ダ・ヴィンチ",
        "https://en.wikipedia.org/wiki/Poincaré–Bendixson_theorem",
        "https://fa.example/می\u{200c}خواهم",
        "https://e.example/e\u{301}a\u{308}",
        "https://ka.example/გვერდი",
        "https://bo.example/བོད་ཡིག",
    ] {
        assert_eq!(links(link), [link]);
        assert_eq!(links(&format!("「{link}」")), [link]);
    }
}

#[test]
fn brackets_quotes_and_marks_of_every_script_end_a_link() {
    assert_eq!(parts("https://example.com。谢谢大家"), [Link("https://example.com"), Text("。谢谢大家")]);
    let ends = "。、，．！？：；（）［］｛｝〔〕【】〖〗《》〈〉「」『』｢｣｡､“”‘’„«»‹›…‥⋯،؛؟۔।॥၊။។៕።፣፧՝։׃¡¿\
                \u{3000}\u{2028}\u{200b}\u{2060}\u{ad}\u{fffd}\u{3164}→│•★👍";
    for end in ends.chars() {
        let text = format!("前{end}https://example.com/路{end}後");
        assert_eq!(links(&text), ["https://example.com/路"], "{end:?} in {text}");
        assert_eq!(links(&format!("https://example.com{end}b")), ["https://example.com"], "{end:?}");
    }
    for join in "·־׳־་‐–—゠・･\u{200c}\u{200d}".chars() {
        assert_eq!(links(&format!("https://example.com/a{join}")), ["https://example.com/a"], "{join:?} at the end");
    }
}

/// The browser knows Unicode too, maybe an older one.
#[test]
fn characters_are_where_unicode_has_them() {
    let kinds = RegExp::new(r"(\p{L}|\p{N})|(\p{M})|(\p{P}|\p{S}|\p{Z}|\p{Cc}|\p{Cf})", "u");
    for c in ('\u{80}'..='\u{10ffff}').filter(|c| !RARE.contains(c) || c.is_alphanumeric()) {
        let Some(groups) = kinds.exec(c.encode_utf8(&mut [0; 4])) else { continue };
        let is = |group: u32| !groups.get(group).is_undefined();
        match place(c) {
            Place::Anywhere => assert!(is(1) || is(2) || c.is_alphanumeric(), "{c:?} ends a link"),
            Place::Outside => {
                // Marks of music and signs of that kind, which no address has.
                let mark_of_signs = c >= RARE.end && is(2);
                let known = is(3) || INVISIBLE.contains(&c) || mark_of_signs || !c.is_alphanumeric() && is(1);
                assert!(known, "{c:?} belongs to a link")
            }
            Place::Inside => assert!(is(3), "{c:?}"),
            Place::Opens(_) | Place::Closes(_) => panic!("{c:?} is no bracket that pairs"),
        }
    }
}

const RARE: std::ops::Range<char> = '\u{10000}'..'\u{1d000}';
const INVISIBLE: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

#[test]
fn links_in_one_line_are_bounded() {
    let text = "http://a ".repeat(400);
    assert_eq!(links(&text).len(), MAX_LINKS);
    assert_eq!(joined(&text), text);
}

fn joined(text: &str) -> String {
    let text_of = |part| match part {
        Text(text) | Link(text) => text,
    };
    parts(text).into_iter().map(text_of).collect()
}

/// What a line that is to cost much is made of.
const PIECES: [&str; 24] = [
    "http://",
    "http://-",
    "https://a",
    "http://a.",
    "http://(",
    "http://[",
    "://",
    "h",
    "ht",
    ":",
    "/",
    "a",
    "é",
    "看",
    "(",
    ")",
    "[",
    "]",
    ".",
    "'",
    "\"",
    " ",
    "。",
    "\u{301}",
];

/// The same numbers at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// A line of so many bytes: up to four stretches of up to three pieces, repeated.
fn line(dice: &mut Dice, bytes: usize) -> String {
    let stretches = 1 + dice.below(4);
    let mut line = String::new();
    for stretch in 1..=stretches {
        let unit: String = (0..=dice.below(3)).map(|_| PIECES[dice.below(PIECES.len())]).collect();
        while line.len() + unit.len() <= bytes * stretch / stretches {
            line.push_str(&unit);
        }
    }
    line
}

/// Milliseconds since the page was opened.
fn now() -> f64 {
    let performance = js_sys::Reflect::get(&js_sys::global(), &"performance".into()).expect("a clock");
    let now: Function = js_sys::Reflect::get(&performance, &"now".into()).expect("a clock").unchecked_into();
    now.call0(&performance).as_ref().ok().and_then(JsValue::as_f64).expect("a time")
}

/// Milliseconds that a line takes, the least of several runs: others use the machine too.
fn cost(line: &str) -> f64 {
    const RUNS: usize = 7;
    const TIMES: u32 = 8;
    let run = || {
        let start = now();
        for _ in 0..TIMES {
            std::hint::black_box(parts(std::hint::black_box(line)));
        }
        (now() - start) / f64::from(TIMES)
    };
    (0..RUNS).map(|_| run()).fold(f64::MAX, f64::min)
}

#[test]
fn time_grows_with_the_length_and_no_faster() {
    let mut costs = Vec::new();
    let mut sums = [0.0, 0.0];
    for seed in 0..150 {
        let [half, whole] = [4096, 8192].map(|bytes| line(&mut Dice(seed), bytes));
        assert_eq!(joined(&whole), whole, "seed {seed}");
        let [short, long] = [&half, &whole].map(|line| cost(line));
        sums = [sums[0] + short, sums[1] + long];
        costs.push(short);
    }
    // Of all lines together: what else runs disturbs one, and a line of the shape that is slow weighs more than the rest.
    assert!(sums[1] <= 2.5 * sums[0], "{sums:?} ms for lines of 4 and 8 KiB");
    let frozen = format!("{}{}", "http://-".repeat(200), ")".repeat(2496));
    assert!(cost(&frozen) < 5.0, "the line that once stopped pages for 5 s");
    costs.sort_by(f64::total_cmp);
    let median = costs[costs.len() / 2];
    assert!(median <= 5.0, "a line of 4 KiB takes {median} ms");
}
