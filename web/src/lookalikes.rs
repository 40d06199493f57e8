//! Nicks that look like another member's are marked. After Unicode's UTS 39: two names look alike when they have the
//! same skeleton, in which every letter is replaced by the one that stands for all that look like it.
//!
//! The table of letters is a file of its own, fetched once there is a line on the screen: nobody waits for it.

use std::collections::{BTreeMap, HashMap};

use leptos::{prelude::*, task::spawn_local};
use tincan_shared::{Link, PeerId, config::DEFAULT_NICK, is_invisible, short_id};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::{
    model::Model,
    names::decomposed,
    roster::{Person, Roster},
    session::{Session, session},
};

/// Beside the page. Lines of a skeleton, a space, and the letters that have it.
const TABLE: &str = "confusables.txt";

/// The skeletons of single letters.
#[derive(Debug, Clone, Default, PartialEq)]
struct Table(HashMap<char, String>);

impl Table {
    fn parse(text: &str) -> Self {
        let rows = text.lines().filter_map(|line| line.split_once(' '));
        Self(rows.flat_map(|(skeleton, letters)| letters.chars().map(move |c| (c, skeleton.to_owned()))).collect())
    }

    fn skeleton(&self, nick: &str) -> String {
        let mut skeleton = String::with_capacity(nick.len());
        for c in decomposed(nick).trim().chars().filter(|c| !is_invisible(*c)) {
            match self.0.get(&c) {
                Some(letters) => skeleton.push_str(letters),
                None => skeleton.push(c),
            }
        }
        skeleton
    }
}

/// Members by the skeletons of their nicks.
#[derive(Debug, Clone, Default, PartialEq)]
struct Index {
    members: BTreeMap<PeerId, Named>,
    by_skeleton: HashMap<String, Vec<PeerId>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Named {
    nick: String,
    skeleton: String,
}

impl Index {
    /// Skeletons of nicks that `before` has are taken from there.
    fn new(table: &Table, nicks: &[(PeerId, String)], before: Option<&Self>) -> Self {
        let mut index = Self::default();
        for (peer, nick) in nicks {
            let known = before.and_then(|before| before.members.get(peer)).filter(|known| known.nick == *nick);
            let skeleton = known.map_or_else(|| table.skeleton(nick), |known| known.skeleton.clone());
            index.by_skeleton.entry(skeleton.clone()).or_default().push(*peer);
            index.members.insert(*peer, Named { nick: nick.clone(), skeleton });
        }
        index
    }

    /// Another member whose nick has this skeleton.
    fn other(&self, skeleton: &str, than: &PeerId) -> Option<(PeerId, String)> {
        let other = self.by_skeleton.get(skeleton)?.iter().find(|peer| *peer != than)?;
        Some((*other, self.members.get(other)?.nick.clone()))
    }
}

/// Handed to the regions of the screen as context.
#[derive(Clone, Copy)]
pub(crate) struct LookAlikes {
    table: RwSignal<Option<Table>>,
    index: Memo<Index>,
}

impl LookAlikes {
    pub(crate) fn new(session: Session) -> Self {
        let table = RwSignal::new(None::<Table>);
        let own = Memo::new(move |_| session.model.with(|model| model.me.map(|me| (me, model.nick.clone()))));
        let nicks = Memo::new(move |_| {
            let named = |person: &Person| Some((person.peer, person.nick.clone()?));
            let mut nicks: Vec<_> = session.roster.with(|roster| roster.people().filter_map(named).collect());
            nicks.extend(own.get());
            // Those who chose no nick are all called so.
            nicks.retain(|(_, nick)| nick != DEFAULT_NICK);
            nicks
        });
        let index = Memo::new(move |before| {
            table.with(|table| match table {
                Some(table) => nicks.with(|nicks| Index::new(table, nicks, before)),
                None => Index::default(),
            })
        });
        let wanted = Memo::new(move |_| {
            let talked = |model: &Model| {
                model.status.link == Link::Online
                    && model.current_room().is_some_and(|room| !room.lines.as_slice().is_empty())
            };
            session.model.with(talked) && session.roster.with(Roster::has_people)
        });
        Effect::new(move |asked: Option<bool>| {
            let asked = asked.unwrap_or(false);
            if wanted.get() && !asked {
                spawn_local(async move {
                    match fetched().await {
                        Ok(text) => table.set(Some(Table::parse(&text))),
                        Err(error) => tracing::warn!(?error, "nicks that look alike are not marked"),
                    }
                });
            }
            asked || wanted.get()
        });
        Self { table, index }
    }
}

async fn fetched() -> Result<String, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(TABLE)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from(response.status()));
    }
    let text = JsFuture::from(response.text()?).await?;
    text.as_string().ok_or(text)
}

/// Says beside a nick whose it looks like, when it looks like another member's.
#[component]
pub(crate) fn LookAlike(peer: PeerId, #[prop(into)] nick: Signal<Option<String>>) -> impl IntoView {
    let LookAlikes { table, index } = expect_context();
    let own = session().model.with_untracked(|model| model.me) == Some(peer);
    let skeleton = Memo::new(move |_| {
        let nick = nick.get().filter(|nick| !own && nick != DEFAULT_NICK)?;
        table.with(|table| table.as_ref().map(|table| table.skeleton(&nick)))
    });
    let other =
        Memo::new(move |_| skeleton.with(|skeleton| index.with(|index| index.other(skeleton.as_ref()?, &peer))));
    move || {
        other.get().map(|(other, nick)| {
            let short = short_id(&other);
            let why = format!("Another member is called {nick}: {other}");
            view! { <span class="mark" data-testid="look-alike" title=why>{format!("looks like …{short}")}</span> }
        })
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::sample::peer;

    fn table() -> Table {
        Table::parse(include_str!("../confusables.txt"))
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        let table = table();
        let same = |one, other| assert_eq!(table.skeleton(one), table.skeleton(other), "{one} {other}");
        same("Paypal", "Рауpаl");
        same("ann", "ann\u{200b}");
        same("bill", "bi11");
        same("modern", "rnodern");
        same("ABBA", "ΑΒΒΑ");
        same("caf\u{e9}", "cafe\u{301}");
        same("ann", "\u{ff41}\u{1d427}n");
        for (one, other) in [("ann", "anne"), ("cafe", "caf\u{e9}"), ("ann", "Ann"), ("иван", "nvan")] {
            assert_ne!(table.skeleton(one), table.skeleton(other), "{one} {other}");
        }
    }

    #[test]
    fn the_other_member_is_found_and_nobody_looks_like_themselves() {
        let nicks = [(peer(1), "ann".to_owned()), (peer(2), "bob".to_owned()), (peer(3), "аnn".to_owned())];
        let index = Index::new(&table(), &nicks, None);
        let skeleton = table().skeleton("ann");
        assert_eq!(index.other(&skeleton, &peer(3)), Some((peer(1), "ann".to_owned())));
        assert_eq!(index.other(&skeleton, &peer(1)), Some((peer(3), "аnn".to_owned())));
        assert_eq!(index.other(&table().skeleton("bob"), &peer(2)), None);
        assert_eq!(Index::new(&table(), &nicks, Some(&index)), index);
    }
}
