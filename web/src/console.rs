//! The console: the same words as the command line's `kv`.

use std::collections::VecDeque;

use leptos::{ev, html, prelude::*, task::spawn_local};
use tincan_shared::neutralise;

use crate::{keys, session::session};

/// Lines kept on the screen.
const MAX_OUTPUT: usize = 200;
/// Lines kept for the arrow keys.
const MAX_HISTORY: usize = 100;

#[component]
pub(crate) fn Console() -> impl IntoView {
    let session = session();
    let output = RwSignal::new(VecDeque::<(u64, String)>::new());
    let typed = RwSignal::new(String::new());
    let history = StoredValue::new(History::default());
    let screen = NodeRef::<html::Div>::new();

    let print = move |line: String| {
        output.update(|output| {
            let number = output.back().map_or(0, |(number, _)| number + 1);
            output.push_back((number, line));
            if output.len() > MAX_OUTPUT {
                output.pop_front();
            }
        });
        request_animation_frame(move || {
            if let Some(screen) = screen.get_untracked() {
                screen.set_scroll_top(screen.scroll_height());
            }
        });
    };
    let run = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let line = typed.get_untracked().trim().to_owned();
        if line.is_empty() {
            return;
        }
        typed.set(String::new());
        history.update_value(|history| history.push(line.clone()));
        print(format!("> {}", neutralise(&line, false)));
        spawn_local(async move {
            print(match session.console(line).await {
                Ok(answer) => neutralise(&answer, false),
                Err(error) => format!("error: {}", neutralise(&error.to_string(), false)),
            });
        });
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let step = match keys::pressed(&event).as_deref() {
            Some("ArrowUp") => History::back,
            Some("ArrowDown") => History::forth,
            _ => return,
        };
        event.prevent_default();
        let now = typed.get_untracked();
        if let Some(line) = history.try_update_value(|history| step(history, &now)).flatten() {
            typed.set(line);
        }
    };
    view! {
        <details class="console">
            <summary data-testid="console-toggle">"Console"</summary>
            <div class="output" node_ref=screen data-testid="console-output" role="log" aria-label="Answers" tabindex="0">
                <For each=move || output.get() key=|(number, _)| *number let((_, line))>
                    <div dir="auto" class=if line.starts_with("> ") { "asked" } else { "" }>{line.clone()}</div>
                </For>
            </div>
            <form on:submit=run>
                <label class="visually-hidden" for="console-input">"Console line"</label>
                <input
                    id="console-input"
                    data-testid="console-input"
                    placeholder="HELP"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    prop:value=move || typed.get()
                    on:input=move |event| typed.set(event_target_value(&event))
                    on:keydown=on_key
                />
            </form>
        </details>
    }
}

/// Earlier lines, and which of them is on the screen.
#[derive(Debug, Default)]
struct History {
    lines: VecDeque<String>,
    /// Steps back from the end.
    back: usize,
    /// What was being typed before the first step back.
    unfinished: String,
}

impl History {
    fn push(&mut self, line: String) {
        self.back = 0;
        if self.lines.back() != Some(&line) {
            self.lines.push_back(line);
        }
        if self.lines.len() > MAX_HISTORY {
            self.lines.pop_front();
        }
    }

    fn back(&mut self, now: &str) -> Option<String> {
        if self.back == self.lines.len() {
            return None;
        }
        if self.back == 0 {
            now.clone_into(&mut self.unfinished);
        }
        self.back += 1;
        self.lines.get(self.lines.len() - self.back).cloned()
    }

    fn forth(&mut self, _: &str) -> Option<String> {
        self.back = self.back.checked_sub(1)?;
        match self.back {
            0 => Some(std::mem::take(&mut self.unfinished)),
            back => self.lines.get(self.lines.len() - back).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn arrows_walk_through_what_was_asked() {
        let mut history = History::default();
        assert_eq!(history.back(""), None);
        for line in ["a", "b", "b"] {
            history.push(line.into());
        }
        assert_eq!(history.back("unfin").as_deref(), Some("b"));
        assert_eq!(history.back("b").as_deref(), Some("a"));
        assert_eq!(history.back("a"), None);
        assert_eq!(history.forth("a").as_deref(), Some("b"));
        assert_eq!(history.forth("b").as_deref(), Some("unfin"));
        assert_eq!(history.forth("unfin"), None);
    }

    #[test]
    fn history_is_bounded() {
        let mut history = History::default();
        for n in 0..MAX_HISTORY + 5 {
            history.push(n.to_string());
        }
        assert_eq!(history.lines.len(), MAX_HISTORY);
    }
}
