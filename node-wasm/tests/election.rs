//! Two tabs never hold one slot, by either means. A seat here is what a tab there would hold.

#![allow(clippy::unwrap_used)]

use futures::future::join;
use tincan_wasm::election::{Means, elect_by};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const BOTH: [Means; 2] = [Means::WebLocks, Means::Database];

#[wasm_bindgen_test]
async fn the_nth_tab_holds_the_nth_slot() {
    for means in BOTH {
        let first = elect_by(means, "nth", None).await.unwrap();
        let second = elect_by(means, "nth", None).await.unwrap();
        let third = elect_by(means, "nth", None).await.unwrap();
        assert_eq!([first.slot, second.slot, third.slot], [0, 1, 2], "{means:?}");
        drop(second);
        assert_eq!(elect_by(means, "nth", None).await.unwrap().slot, 1, "{means:?}: a closed tab's slot is free");
    }
}

#[wasm_bindgen_test]
async fn simultaneous_tabs_get_different_slots() {
    for means in BOTH {
        let (one, other) = join(elect_by(means, "race", None), elect_by(means, "race", None)).await;
        let mut slots = [one.as_ref().unwrap().slot, other.as_ref().unwrap().slot];
        slots.sort_unstable();
        assert_eq!(slots, [0, 1], "{means:?}");
    }
}

#[wasm_bindgen_test]
async fn many_at_once_leave_no_gap() {
    for means in BOTH {
        let seats = futures::future::join_all((0..4).map(|_| elect_by(means, "many", None))).await;
        let mut slots: Vec<u32> = seats.iter().map(|seat| seat.as_ref().unwrap().slot).collect();
        slots.sort_unstable();
        assert_eq!(slots, (0..4).collect::<Vec<_>>(), "{means:?}");
    }
}

#[wasm_bindgen_test]
async fn a_reloaded_tab_waits_for_its_former_self() {
    for means in BOTH {
        let first = elect_by(means, "reload", None).await.unwrap();
        let second = elect_by(means, "reload", None).await.unwrap();
        // The new page asks for slot 1 while the old one still holds it, and slot 0 stays taken.
        let again = elect_by(means, "reload", Some(1));
        let (again, ()) = join(again, async { drop(second) }).await;
        assert_eq!(again.unwrap().slot, 1, "{means:?}");
        drop(first);
    }
}

#[wasm_bindgen_test]
async fn a_duplicated_tab_gets_another_slot() {
    for means in BOTH {
        let original = elect_by(means, "copy", None).await.unwrap();
        let copy = elect_by(means, "copy", Some(original.slot)).await.unwrap();
        assert_eq!(copy.slot, 1, "{means:?}: the remembered slot is a wish");
        // The copy's wish is still in the browser's queue; it must not take the slot when it frees up.
        drop(original);
        assert_eq!(elect_by(means, "copy", Some(0)).await.unwrap().slot, 0, "{means:?}");
    }
}

#[wasm_bindgen_test]
async fn a_clock_that_went_back_does_not_lock_the_slot() {
    // A version far in the future, as another clock would have left it.
    let factory = web_sys::window().unwrap().indexed_db().unwrap().unwrap();
    let request = factory.open_with_f64("clock-tab-0", 9_000_000_000_000_000.0).unwrap();
    let opened = js_sys::Promise::new(&mut |resolve, _| request.set_onsuccess(Some(&resolve)));
    wasm_bindgen_futures::JsFuture::from(opened).await.unwrap();
    let database: web_sys::IdbDatabase = request.result().unwrap().into();
    database.close();
    assert_eq!(elect_by(Means::Database, "clock", None).await.unwrap().slot, 0);
}
