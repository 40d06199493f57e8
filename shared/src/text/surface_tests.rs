use super::*;

/// Characters from all the ranges that are treated specially, and some that are not.
const ALPHABET: &[char] = &[
    'a',
    ' ',
    '⏎',
    '=',
    'א',
    '́',
    '\t',
    '\n',
    '\r',
    '\0',
    '\u{1b}',
    '\u{7f}',
    '\u{9b}',
    '\u{85}',
    '\u{2028}',
    '\u{2029}',
    '\u{200b}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{61c}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{206a}',
    '\u{feff}',
    '\u{fffa}',
    BLACK_FLAG,
    '\u{e0067}',
    '\u{e0062}',
    '\u{e0065}',
    CANCEL_TAG,
    '\u{e0001}',
];

/// Texts of up to 40 of those characters, the same ones in every run.
fn texts() -> impl Iterator<Item = String> {
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..20_000).map(move |_| {
        let length = next(40);
        (0..length).map(|_| ALPHABET[next(ALPHABET.len())]).collect()
    })
}

fn all_surfaces(text: &str) -> [String; 3] {
    [neutralise(text, true), Surface::Screen.line(text), Surface::Pipe.line(text)]
}

#[test]
fn text_is_shown_as_it_was_said() {
    for text in [
        "fn main() {\n\tprintln!(\"a\\tb\");\n}",
        "\u{202a}+49 170 1234567\u{202c}",
        "(\u{200f}שלום) \u{200e}12\u{61c}",
        "England 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}, Scotland \
         🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}, Wales \
         🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}, a pirate 🏴\u{200d}☠\u{fe0f}",
        "👩‍👩‍👧 🇪🇺 1\u{fe0f}\u{20e3} \u{2068}name\u{2069} สวัสดี\u{200b}ชาวโลก 葛\u{e0100}",
    ] {
        assert_eq!(neutralise(text, true), text);
        assert_eq!(neutralise(text, false), text.replace('\n', "⏎"));
        assert_eq!(Surface::Pipe.line(text), text.replace('\n', "⏎"));
    }
}

#[test]
fn what_has_no_glyph_is_dropped_on_a_screen_and_kept_in_a_pipe() {
    let text = "\u{feff}a\u{206a}b\u{e0041}\u{e007f}c\u{fff9}d🏴\u{e0067}\u{e007f}";
    assert_eq!(neutralise(text, true), "abcd🏴");
    assert_eq!(Surface::Pipe.line(text), text);
}

#[test]
fn control_characters_and_line_ends_lose_their_power_everywhere() {
    assert_eq!(neutralise("a\x1b[31m\u{9b}b\r\n\u{2028}c", false), "a␛[31m\u{fffd}b⏎⏎c");
    assert_eq!(neutralise("a\r\nb\rc", true), "a\nb␍c");
    assert_eq!(Surface::Pipe.line("a\x1b[31m\u{9b}b\r\n\u{2029}c"), "a␛[31m\u{fffd}b␍⏎⏎c");
}

#[test]
fn overrides_go_and_embeddings_end_with_their_line() {
    assert_eq!(neutralise("photo\u{202e}gnp.exe", true), "photognp.exe");
    assert_eq!(neutralise("\u{202e}a\u{202c}b", true), "ab", "its end goes with it");
    assert_eq!(neutralise("\u{202b}a\nb", true), "\u{202b}a\u{202c}\nb");
    assert_eq!(neutralise("\u{2067}a\u{202a}b", false), "\u{2067}a\u{202a}b\u{202c}\u{2069}");
    assert_eq!(neutralise("a\u{202c}b\u{2069}", false), "ab", "what ends nothing is dropped");
    assert_eq!(neutralise("\u{202a}\u{2066}\u{202c}a\u{2069}", false), "\u{202a}\u{2066}a\u{2069}\u{202c}");
    let deep = neutralise(&"\u{2067}".repeat(1000), false);
    assert_eq!(deep.chars().count(), 2 * MAX_NESTED);
}

#[test]
fn no_value_forges_a_line_or_steers_a_terminal() {
    for text in texts() {
        for (place, shown) in all_surfaces(&text).into_iter().enumerate() {
            let ends_line = |c: char| c == '\n' && place == 0;
            let power = shown
                .chars()
                .find(|c| *c != TAB && !ends_line(*c) && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')));
            assert_eq!(power, None, "{text:?} is shown as {shown:?}");
            let again = all_surfaces(&shown)[place].clone();
            assert_eq!(again, shown, "{text:?} is another text when shown twice");
        }
    }
}

#[test]
fn on_a_screen_every_line_is_balanced_and_free_of_overrides() {
    for text in texts() {
        for line in neutralise(&text, true).split('\n') {
            let mut open = Vec::new();
            for c in line.chars() {
                match c {
                    '\u{202a}' | '\u{202b}' => open.push('\u{202c}'),
                    '\u{2066}'..='\u{2068}' => open.push('\u{2069}'),
                    '\u{202c}' | '\u{2069}' => assert_eq!(open.pop(), Some(c), "{text:?} is shown with {line:?}"),
                    '\u{202d}' | '\u{202e}' => panic!("{text:?} is shown with an override"),
                    _ => {}
                }
            }
            assert!(open.is_empty(), "{text:?} is shown with {line:?}");
        }
    }
}

#[test]
fn what_stands_beside_special_characters_stays() {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    for text in texts() {
        for shown in all_surfaces(&text) {
            assert_eq!(letters(&shown), letters(&text));
        }
    }
}

/// Every character that a pipe gets as another, as stretches of numbers and what they become.
fn table() -> String {
    let mut rows: Vec<[u32; 4]> = Vec::new();
    for c in '\0'..=char::MAX {
        let shown = Surface::Pipe.line(c.encode_utf8(&mut [0; 4]));
        let (Some(shown), c) = (shown.chars().next().filter(|shown| *shown != c), u32::from(c)) else { continue };
        let shown = u32::from(shown);
        match rows.last_mut() {
            Some([first, last, from, to])
                if *last + 1 == c
                    && (shown == *to && from == to || shown == *to + 1 && *to - *from == *last - *first) =>
            {
                (*last, *to) = (c, shown);
            }
            _ => rows.push([c, c, shown, shown]),
        }
    }
    rows.into_iter().map(|[first, last, from, to]| format!("{first:04x}..{last:04x} {from:04x}..{to:04x}\n")).collect()
}

/// The end-to-end tests read what to expect from there.
#[test]
fn the_table_of_what_a_pipe_gets_is_what_happens() {
    assert_eq!(
        table(),
        include_str!("../../tests/neutralised.txt"),
        "write the left one into shared/tests/neutralised.txt"
    );
}
