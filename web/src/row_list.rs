//! The rows in the page. Only those that changed are made, put in or taken out, wherever they stand: Leptos's own list
//! takes all rows out and puts them in again where two come before others.

use std::collections::HashMap;

use leptos::{
    html,
    prelude::*,
    tachys::{
        reactive_graph::{OwnedView, OwnedViewState},
        view::any_view::AnyView,
    },
};
use web_sys::Element;

use crate::{message::MessageRow, rows::Row};

/// A row in the page.
struct Drawn {
    row: Row,
    state: OwnedViewState<<AnyView as Render>::State>,
}

/// Draws these rows, in this order.
#[component]
pub(crate) fn RowList(rows: RwSignal<Vec<Row>>) -> impl IntoView {
    let list = NodeRef::<html::Ol>::new();
    // Rows outlive the runs of the effect that draws them.
    let owner = Owner::current().unwrap_or_default();
    Effect::new(move |before: Option<Vec<Drawn>>| {
        let before = before.unwrap_or_default();
        match list.get() {
            Some(list) => rows.with(|rows| untrack(|| draw(&list, &owner, before, rows))),
            None => before,
        }
    });
    view! { <ol node_ref=list></ol> }
}

/// Brings what is in the list to these rows. From the last to the first, so that each stands before one in its place.
fn draw(list: &Element, owner: &Owner, before: Vec<Drawn>, rows: &[Row]) -> Vec<Drawn> {
    let wanted: HashMap<u64, &Row> = rows.iter().map(|row| (row.line.key, row)).collect();
    let mut kept = HashMap::new();
    for (place, mut drawn) in before.into_iter().enumerate() {
        if wanted.get(&drawn.row.line.key).is_some_and(|row| row.looks_as(&drawn.row)) {
            kept.insert(drawn.row.line.key, (place, drawn));
        } else {
            drawn.state.unmount();
        }
    }
    let mut after: Vec<Drawn> = Vec::with_capacity(rows.len());
    // Where the last one stood that stays where it is.
    let mut next_place = usize::MAX;
    for row in rows.iter().rev() {
        let (stays, mut drawn) = match kept.remove(&row.line.key) {
            Some((place, drawn)) if place < next_place => {
                next_place = place;
                (true, drawn)
            }
            Some((_, mut moved)) => {
                moved.state.unmount();
                (false, moved)
            }
            None => (false, make(owner, row)),
        };
        if !stays {
            match after.last() {
                Some(next) => next.state.insert_before_this_or_marker(list, &mut drawn.state, None),
                None => drawn.state.mount(list, None),
            }
        }
        after.push(drawn);
    }
    after.reverse();
    after
}

fn make(owner: &Owner, row: &Row) -> Drawn {
    let owner = owner.child();
    let view = owner.with(|| view! { <MessageRow row=row.clone() /> }.into_any());
    Drawn { row: row.clone(), state: OwnedView::new_with_owner(view, owner).build() }
}
