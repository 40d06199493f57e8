//! Where the list of lines stands: at its end, or at the line that somebody reads, kept for each room.

use std::collections::HashMap;

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlDivElement, HtmlElement};

/// Pixels from the end that still count as being there.
const AT_END_WITHIN: i32 = 48;
/// Pixels that "new since you were here" and the heading below it have above the first new line.
const NEWS_MARGIN: i32 = 64;

/// A place in a room's lines.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    End,
    /// A line, so many pixels below the upper edge.
    Line {
        key: u64,
        below: i32,
    },
}

/// The list's place, and where it stood in other rooms.
#[derive(Clone, Copy)]
pub(crate) struct Scroll {
    pub(crate) list: NodeRef<html::Div>,
    /// New lines below the lower edge.
    pub(crate) unseen: RwSignal<usize>,
    at_end: StoredValue<bool>,
    places: StoredValue<HashMap<String, Place>>,
    /// Where the list is to stand once all rows that this takes are drawn.
    goal: StoredValue<Option<Place>>,
    /// Whether rows are still to be drawn.
    drawing: StoredValue<bool>,
    /// Whether [`Self::follow`] is called at the next frame: a hidden page has none, however much happens.
    due: StoredValue<bool>,
}

impl Scroll {
    pub(crate) fn new() -> Self {
        Self {
            list: NodeRef::new(),
            unseen: RwSignal::new(0),
            at_end: StoredValue::new(true),
            places: StoredValue::new(HashMap::new()),
            goal: StoredValue::new(None),
            drawing: StoredValue::new(false),
            due: StoredValue::new(false),
        }
    }

    pub(crate) fn is_at_end(self) -> bool {
        self.at_end.try_get_value() == Some(true)
    }

    /// Goes to the end, and stays there as lines arrive.
    pub(crate) fn to_end(self) {
        self.head_for(Place::End, 0);
    }

    /// A room was opened: goes where it was left, else to the first of `news` new lines, else to the end.
    pub(crate) fn open(self, room: &str, first_new: Option<u64>, news: usize) {
        let left_at = self.places.with_value(|places| places.get(room).copied());
        match (left_at, first_new) {
            (Some(place @ Place::Line { .. }), _) => self.head_for(place, news),
            (_, Some(key)) => self.to_news(key, news),
            _ => self.to_end(),
        }
    }

    /// Goes to the first of `news` new lines.
    pub(crate) fn to_news(self, first_new: u64, news: usize) {
        self.head_for(Place::Line { key: first_new, below: NEWS_MARGIN }, news);
    }

    /// Somebody moves the list: it goes nowhere by itself.
    pub(crate) fn taken_over(self) {
        self.goal.set_value(None);
    }

    /// The list was moved, by somebody or by [`Self::follow`]. `room` is the one that is drawn.
    pub(crate) fn moved(self, room: Option<String>) {
        let Some(list) = self.list.get_untracked() else { return };
        self.look(&list);
        // On its way, the list stands where nobody left it.
        let Some(room) = room.filter(|_| self.goal.with_value(Option::is_none)) else { return };
        let place = if self.is_at_end() { Some(Place::End) } else { top_line(&list) };
        if let Some(place) = place {
            self.places.update_value(|places| {
                places.insert(room, place);
            });
        }
    }

    /// Rooms that somebody has left keep no place: their lines have other keys when they are joined again.
    pub(crate) fn keep_places(self, is_joined: impl Fn(&str) -> bool) {
        self.places.update_value(|places| places.retain(|room, _| is_joined(room)));
    }

    /// Rows were drawn; whether others are left.
    pub(crate) fn drawn(self, left: bool) {
        self.drawing.set_value(left);
        self.follow_soon();
    }

    /// Goes where the list is to stand, once the rows are in the page.
    pub(crate) fn follow_soon(self) {
        if !self.due.get_value() {
            self.due.set_value(true);
            request_animation_frame(move || {
                self.due.try_set_value(false);
                self.follow();
            });
        }
    }

    /// Goes where the list is to stand, now.
    pub(crate) fn follow(self) {
        let Some(list) = self.list.get_untracked() else { return };
        let complete = !self.drawing.get_value();
        match self.goal.get_value() {
            Some(Place::Line { key, below }) => match line(&list, key) {
                Some(line) => list.set_scroll_top(line.offset_top() - below),
                None if complete => list.set_scroll_top(0),
                None => {}
            },
            Some(Place::End) => list.set_scroll_top(list.scroll_height()),
            None if self.is_at_end() => list.set_scroll_top(list.scroll_height()),
            None => return,
        }
        if complete {
            self.goal.set_value(None);
        }
        self.look(&list);
    }

    fn head_for(self, place: Place, unseen: usize) {
        self.goal.set_value(Some(place));
        self.at_end.set_value(place == Place::End);
        self.unseen.set(unseen);
    }

    fn look(self, list: &HtmlDivElement) {
        // On its way to a line it may still stand at the end, where it was before.
        if self.goal.with_value(|goal| matches!(goal, Some(Place::Line { .. }))) {
            return;
        }
        let near = list.scroll_height() - list.scroll_top() - list.client_height() <= AT_END_WITHIN;
        self.at_end.set_value(near);
        if near && self.unseen.get_untracked() > 0 {
            self.unseen.set(0);
        }
    }
}

/// The line that crosses the upper edge, or the first one below it. Offsets rather than rectangles: these move while a
/// line is animated.
fn top_line(list: &HtmlDivElement) -> Option<Place> {
    let rows = list.first_element_child()?.children();
    let row = |at: u32| rows.item(at).and_then(|row| row.dyn_into::<HtmlElement>().ok());
    let edge = list.scroll_top();
    let (mut first, mut last) = (0, rows.length());
    while first < last {
        let middle = first + (last - first) / 2;
        let is_above = row(middle).is_some_and(|row| row.offset_top() + row.offset_height() <= edge);
        if is_above { first = middle + 1 } else { last = middle }
    }
    // Days and "new since you were here" stand between lines.
    (first..rows.length()).find_map(|at| {
        let row = row(at)?;
        let key = row.get_attribute("data-line")?.parse().ok()?;
        Some(Place::Line { key, below: row.offset_top() - edge })
    })
}

fn line(list: &HtmlDivElement, key: u64) -> Option<HtmlElement> {
    list.query_selector(&format!("[data-line=\"{key}\"]")).ok()??.dyn_into().ok()
}
