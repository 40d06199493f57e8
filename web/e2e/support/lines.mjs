// What people say to each other in the tests, and what has to be seen of it.

import assert from "node:assert/strict";
import { shown } from "./shown.mjs";
import { PATIENCE_MS, until } from "./wait.mjs";


/** The longest text that a message may have. */
export const LONGEST = 4096;

/** Lines that tempt a chat to lose, merge, reorder or run them. */
export function awkward({ lineFeeds }) {
  return [
    "the same text",
    "the same text",
    "x".repeat(LONGEST),
    "é".repeat(LONGEST / 2),
    "🥫 👩‍👩‍👧 🇪🇺 שלום",
    `<img src=x onerror="window.fooled = true">`,
    "<script>window.fooled = true</script> & &amp;",
    "a\u001b[31mb\u0007c",
    "left \u202e right \u2067 and \u{e0041}\u{e007f} hidden \ufeff",
    "if (a) {\treturn \u202a+49 170 1234567\u202c; } // \u200fשלום\u200f 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    ...(lineFeeds ? ["one line\nand another\n\nand a last"] : []),
  ];
}

/** `count` lines of one author, the awkward ones spread among plain ones. */
export function script(who, count, options) {
  const special = awkward(options);
  const stride = Math.floor(count / special.length);
  return Array.from({ length: count }, (_, i) =>
    i % stride === 0 && i / stride < special.length ? special[i / stride] : `${who} ${i}`,
  );
}

/** Waits until a viewer has as many of an author's lines as were said, and compares them one by one. */
export async function seesExactly(viewer, author, said, { within = PATIENCE_MS, lineFeeds = true } = {}) {
  const expected = said.map((text) => shown(text, { lineFeeds }));
  const told = async () => `${viewer.name} sees ${said.length} lines of ${author}; ${gap(expected, await viewer.textsOf(author))}`;
  await until(told, async () => (await viewer.textsOf(author)).length >= expected.length, within);
  const seen = await viewer.textsOf(author);
  assert.ok(same(expected, seen), `${viewer.name} sees other lines of ${author} than were said: ${gap(expected, seen)}`);
}

const same = (a, b) => a.length === b.length && a.every((text, i) => text === b[i]);

function gap(expected, seen) {
  const brief = (text) => JSON.stringify(text?.slice(0, 60));
  const at = expected.findIndex((text, i) => text !== seen[i]);
  const where = at < 0 ? expected.length : at;
  return `${seen.length} are there, number ${where} should be ${brief(expected[where])} and is ${brief(seen[where])}`;
}
