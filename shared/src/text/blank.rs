//! Names that show nothing on a screen.

/// Whether a text has no character that a person sees: white space, control characters, letters without a glyph, and
/// accents that sit on nothing.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c) || is_accent(c))
}

/// Characters that a font draws as nothing: Unicode's Default_Ignorable_Code_Point, the fillers of Hangul, the blank of
/// Braille and the empty note head.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The blocks of combining marks that belong to no script.
fn is_accent(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_show_nothing_are_blank() {
        for name in
            ["", " \t\u{3000}", "\u{200b}\u{200d}", "\u{3164}", "\u{2800}", "\u{feff}\u{e0067}", "\u{301}", "\u{1}"]
        {
            assert!(is_blank(name), "{name:?}");
        }
        for name in
            ["a", "\u{200b}a", "👍", "☃\u{fe0f}", "e\u{301}", "가", "🏴\u{e0067}\u{e0062}\u{e007f}", "·", "\u{e01ef}x"]
        {
            assert!(!is_blank(name), "{name:?}");
        }
    }
}
