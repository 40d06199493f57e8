//! A text that would fill the screen stands folded, with a button that shows all of it.

use leptos::prelude::*;

/// Rows of a text that is shown whole; a folded one shows half of them, see `conversation.css`.
const MAX_ROWS: usize = 24;
/// Letters that fit into a row where the page is narrow, and elsewhere.
const COLUMNS: [usize; 2] = [40, 90];
/// Pixels of width below which the page is narrow.
const NARROW_BELOW: f64 = 640.0;

/// Whether a text takes more rows than are shown at once. An estimate: measuring each text would slow down drawing.
pub(crate) fn is_tall(text: &str) -> bool {
    let width = window().inner_width().ok().and_then(|width| width.as_f64());
    let columns = COLUMNS[usize::from(width.is_none_or(|width| width >= NARROW_BELOW))];
    fills_more_than(text, MAX_ROWS, columns)
}

fn fills_more_than(text: &str, rows: usize, columns: usize) -> bool {
    // No text of so many bytes has more letters or more line breaks.
    if text.len() < rows {
        return false;
    }
    let taken: usize = text.split('\n').map(|line| line.chars().count().div_ceil(columns).max(1)).sum();
    taken > rows
}

/// The text of a line.
#[component]
pub(crate) fn Foldable(tall: bool, children: Children) -> impl IntoView {
    let folded = RwSignal::new(tall);
    view! {
        <p class="text" class:folded=move || folded.get() dir="auto" data-testid="message-text">{children()}</p>
        {tall.then(|| view! {
            <button
                type="button"
                class="button plain unfold"
                data-testid="unfold"
                aria-expanded=move || (!folded.get()).to_string()
                on:click=move |_| folded.update(|folded| *folded = !*folded)
            >
                {move || if folded.get() { "Show all" } else { "Show less" }}
            </button>
        })}
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn long_texts_and_many_breaks_are_tall() {
        assert!(!fills_more_than("hello", 24, 40));
        assert!(!fills_more_than(&"x\n".repeat(23), 24, 40));
        assert!(fills_more_than(&"\n".repeat(24), 24, 40));
        assert!(!fills_more_than(&"x".repeat(24 * 40), 24, 40));
        assert!(fills_more_than(&"x".repeat(24 * 40 + 1), 24, 40));
        assert!(!fills_more_than(&"x".repeat(24 * 40 + 1), 24, 90));
    }
}
