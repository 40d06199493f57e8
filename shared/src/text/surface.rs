//! How text from strangers is shown: as it was said, and without power over what stands beside it.
//!
//! On a screen, a page or a terminal:
//! - control characters become their pictures (U+2400 block) or U+FFFD; a tab is white space and stays;
//! - marks of direction stay, embeddings and isolates end with their line at the latest, overrides are dropped;
//! - a flag's tag characters stay behind its black flag and are dropped elsewhere, as is all else without a glyph that
//!   joins, breaks or varies nothing.
//!
//! Into a pipe goes what was said, but for control characters and whatever ends a line.

/// Embeddings and isolates inside each other that are kept; deeper ones are dropped.
const MAX_NESTED: usize = 8;

const TAB: char = '\t';
const END_OF_ISOLATE: char = '\u{2069}';
const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';
/// Tags between flag and end, after ISO 3166-2: a country of two letters and a part of one to three.
const FLAG_TAGS: std::ops::RangeInclusive<usize> = 3..=5;

/// Where a line of text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// A page or a terminal, which a person looks at.
    Screen,
    /// Anything that is no terminal, such as a file or another program.
    Pipe,
}

impl Surface {
    /// The text on one line, harmless to show there. Line ends become `⏎`.
    #[must_use]
    pub fn line(self, text: &str) -> String {
        match self {
            Self::Screen => neutralise(text, false),
            Self::Pipe => text.chars().map(|c| picture(c).unwrap_or(c)).collect(),
        }
    }
}

/// Makes text harmless to show on a screen; see the module's documentation.
/// Line ends stay line feeds when `line_feeds` says so (a page breaks lines itself), else they show as `⏎`.
#[must_use]
pub fn neutralise(text: &str, line_feeds: bool) -> String {
    let mut shown = Shown { text: String::with_capacity(text.len()), open: Vec::new(), nested: 0, isolates: 0 };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\r' if rest.starts_with('\n') => {}
            '\n' | '\u{2028}' | '\u{2029}' => shown.end_line(if line_feeds { '\n' } else { '⏎' }),
            TAB => shown.text.push(TAB),
            BLACK_FLAG => {
                let tags = flag_tags(rest);
                shown.text.push(BLACK_FLAG);
                shown.text.push_str(&rest[..tags]);
                rest = &rest[tags..];
            }
            '\u{202a}' | '\u{202b}' => shown.open(c, '\u{202c}', true),
            '\u{202d}' | '\u{202e}' => shown.open(c, '\u{202c}', false),
            '\u{2066}'..='\u{2068}' => shown.open(c, END_OF_ISOLATE, true),
            '\u{202c}' | END_OF_ISOLATE => shown.close(c),
            '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => {}
            _ => shown.text.push(picture(c).unwrap_or(c)),
        }
    }
    shown.close_all();
    shown.text
}

/// What a control character or a line end is shown as.
fn picture(c: char) -> Option<char> {
    match c {
        TAB => None,
        '\n' | '\u{2028}' | '\u{2029}' => Some('⏎'),
        '\u{00}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some('\u{fffd}'),
        _ => None,
    }
}

/// Bytes of the tags that make a black flag another one, such as Scotland's; 0 when none do.
fn flag_tags(rest: &str) -> usize {
    let is_tag = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let tags = rest.chars().take_while(is_tag).take(FLAG_TAGS.end() + 1).count();
    match FLAG_TAGS.contains(&tags) && rest.chars().nth(tags) == Some(CANCEL_TAG) {
        // Each takes as many bytes.
        true => (tags + 1) * CANCEL_TAG.len_utf8(),
        false => 0,
    }
}

/// A line as it grows, and which embeddings and isolates are open in it.
struct Shown {
    text: String,
    /// What closes each, and whether it is kept.
    open: Vec<(char, bool)>,
    /// How many of them are kept.
    nested: usize,
    /// How many of them are isolates, so that an end of none is known without a look at all.
    isolates: usize,
}

impl Shown {
    fn open(&mut self, opener: char, closer: char, wanted: bool) {
        let kept = wanted && self.nested < MAX_NESTED;
        if kept {
            self.text.push(opener);
            self.nested += 1;
        }
        self.isolates += usize::from(closer == END_OF_ISOLATE);
        self.open.push((closer, kept));
    }

    /// As the Unicode Bidirectional Algorithm does: the end of an isolate ends all that was embedded in it, and the end
    /// of an embedding counts only inside the isolate that it began in.
    fn close(&mut self, closer: char) {
        let innermost = self.open.last().map(|(innermost, _)| *innermost);
        if closer == END_OF_ISOLATE && self.isolates > 0 {
            while self.close_innermost().is_some_and(|closed| closed != closer) {}
        } else if innermost == Some(closer) {
            self.close_innermost();
        }
    }

    fn close_innermost(&mut self) -> Option<char> {
        let (closer, kept) = self.open.pop()?;
        if kept {
            self.text.push(closer);
            self.nested -= 1;
        }
        self.isolates -= usize::from(closer == END_OF_ISOLATE);
        Some(closer)
    }

    fn close_all(&mut self) {
        while self.close_innermost().is_some() {}
    }

    fn end_line(&mut self, end: char) {
        self.close_all();
        self.text.push(end);
    }
}

#[cfg(test)]
#[path = "surface_tests.rs"]
mod tests;
