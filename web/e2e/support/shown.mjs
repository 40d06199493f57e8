// How a text has to be shown, written down a second time: on a page, and in the pipe that a tested terminal writes to.

import fs from "node:fs";

/** Characters that a pipe gets as others, by their numbers: the table that the Rust code is tested against. */
const NEUTRALISED = new Map(
  fs.readFileSync(new URL("../../../shared/tests/neutralised.txt", import.meta.url), "utf8").trim().split("\n").flatMap((row) => {
    const [first, last, from, to] = row.split(/\.\.| /).map((number) => parseInt(number, 16));
    return Array.from({ length: last - first + 1 }, (_, i) => [first + i, Math.min(from + i, to)]);
  }),
);
/** What a page drops, and the marks of direction that it balances. */
const DROPPED = /[\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const EMBEDDINGS = "\u202a\u202b";
const OVERRIDES = "\u202d\u202e";
const ISOLATES = "\u2066\u2067\u2068";
const [END_OF_EMBEDDING, END_OF_ISOLATE] = ["\u202c", "\u2069"];
const MOST_NESTED = 8;
/** A character, a flag of a country's part counting as one. */
const CHARACTERS = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,5}\u{e007f}|[^]/gu;

const pictured = (c) => String.fromCodePoint(NEUTRALISED.get(c.codePointAt(0)) ?? c.codePointAt(0));

/** All that are shown as others somewhere, in one text. */
export const everySpecial = () =>
  String.fromCodePoint(...NEUTRALISED.keys()) + EMBEDDINGS + OVERRIDES + ISOLATES + END_OF_ISOLATE + END_OF_EMBEDDING + "\u206a\ufeff\ufff9\u{e0001}\u{e0041}";

/** How a text is shown: with line feeds on a page, without in a pipe. */
export function shown(text, { lineFeeds }) {
  if (!lineFeeds) return [...text].map(pictured).join("");
  return text.split(/\r?\n|[\u2028\u2029]/).map(line).join("\n");
}

/** A line of a page: each mark of direction that is kept has its end. */
function line(text) {
  const open = [];
  let out = "";
  const close = () => {
    const { end, kept } = open.pop();
    if (kept) out += end;
    return end;
  };
  for (const [c] of text.matchAll(CHARACTERS)) {
    const isolate = ISOLATES.includes(c);
    if (isolate || EMBEDDINGS.includes(c) || OVERRIDES.includes(c)) {
      const kept = !OVERRIDES.includes(c) && open.filter((one) => one.kept).length < MOST_NESTED;
      open.push({ end: isolate ? END_OF_ISOLATE : END_OF_EMBEDDING, kept });
      if (kept) out += c;
    } else if (c === END_OF_ISOLATE) {
      if (open.some(({ end }) => end === c)) while (close() !== c);
    } else if (c === END_OF_EMBEDDING) {
      if (open.at(-1)?.end === c) close();
    } else if (c.length > 2 || !DROPPED.test(c)) {
      out += c.length > 2 ? c : pictured(c);
    }
  }
  while (open.length) close();
  return out;
}
