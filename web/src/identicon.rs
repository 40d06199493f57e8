//! A small picture from a peer id, so that people tell each other apart at a glance.

use std::fmt::Write;

use leptos::prelude::*;
use tincan_shared::PeerId;

const SIDE: usize = 5;

/// Mirrored squares in a colour of their own.
#[component]
pub(crate) fn Identicon(peer: PeerId) -> impl IntoView {
    let picture = picture(&peer.to_bytes());
    view! {
        <svg class="identicon" viewBox="-0.5 -0.5 6 6" width="24" height="24" aria-hidden="true" shape-rendering="crispEdges">
            <path d=picture.path fill=picture.colour />
        </svg>
    }
}

#[derive(Debug, PartialEq)]
struct Picture {
    path: String,
    colour: String,
}

fn picture(id: &[u8]) -> Picture {
    let hash = hash(id);
    let mut path = String::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let column = x.min(SIDE - 1 - x);
            if hash >> (y * SIDE.div_ceil(2) + column) & 1 == 1 {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
    }
    // A lightness in the middle stands out on light and dark grounds.
    Picture { path, colour: format!("hsl({} 50% 48%)", (hash >> 32) % 360) }
}

/// FNV-1a, 64 bits, its bits then mixed as MurmurHash3 does: neighbouring ids must look different.
fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53_u64].into_iter().fold(fnv ^ (fnv >> 33), |hash, factor| {
        let mixed = hash.wrapping_mul(factor);
        mixed ^ (mixed >> 33)
    })
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_same_id_looks_the_same_and_others_do_not() {
        assert_eq!(picture(b"abc"), picture(b"abc"));
        let all: Vec<Picture> = (0..=u8::MAX).map(|seed| picture(&[seed; 38])).collect();
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{one:?} twice");
        }
    }
}
