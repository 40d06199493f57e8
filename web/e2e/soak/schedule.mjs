// Who comes when, as whom, says something when, and goes when and how: decided before anybody comes.

import { Chance } from "./chance.mjs";

/** The shortest and the longest stay. */
const STAY_MS = [8_000, 120_000];
/** From going to coming again. */
const AWAY_MS = [1_000, 15_000];
/** The first come spread over this. */
const FIRST_MS = 5_000;
/** From one moment of saying something to the next, on average half of it. */
const SILENCE_MS = 8_000;
/** Most lines said at one moment, one right after the other. */
const BURST = 5;
/** How often a moment has one line only. */
const SINGLE = { single: 3, burst: 1 };
/** Who comes again. */
const AS_WHOM = { same: 3, new: 2 };
/** How a member goes. */
const ENDINGS = {
  page: { "closes the tab": 1, "leaves the room": 1 },
  terminal: { SIGTERM: 2, "end of input": 2, SIGKILL: 1 },
};

/**
 * Every place's visits, one after the other. A visit comes `away` ms after the last one's end, stays for `stay` ms
 * from being online on, and says so many lines at so many ms of its stay. There are enough for the whole time, even
 * when everybody is online at once.
 */
export function schedule({ seed, minutes, pages, terminals }) {
  const total = minutes * 60_000;
  const places = (kind, count) => Array.from({ length: count }, (_, i) => ({ kind, name: `${kind}${i + 1}` }));
  return [...places("page", pages), ...places("terminal", terminals)].map((place) => ({
    ...place,
    visits: visits(new Chance(`${seed} ${place.name}`), place.kind, total),
  }));
}

function visits(chance, kind, total) {
  const longest = Math.max(STAY_MS[0], Math.min(STAY_MS[1], total / 3));
  const planned = [];
  let spent = 0;
  while (spent < total) {
    const first = planned.length === 0;
    const away = first ? chance.between(0, FIRST_MS) : chance.between(...AWAY_MS);
    const stay = chance.between(STAY_MS[0], longest);
    const as = first ? "new" : chance.pick(AS_WHOM);
    planned.push({ away, stay, as, moments: moments(chance, stay), ending: chance.pick(ENDINGS[kind]) });
    spent += away + stay;
  }
  return planned;
}

function moments(chance, stay) {
  const planned = [];
  for (let at = chance.between(0, SILENCE_MS); at < stay; at += chance.between(0, SILENCE_MS)) {
    planned.push({ at, lines: chance.pick(SINGLE) === "single" ? 1 : chance.between(2, BURST) });
  }
  return planned;
}
