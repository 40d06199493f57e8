// Lines, nicks and names that a stranger may send, made to cost whoever shows them as much as can be.

import { LONGEST } from "./lines.mjs";
import { everySpecial } from "./shown.mjs";

const BYTES = new TextEncoder();

/** A unit as often as it fits into so many bytes. */
const filled = (unit, bytes) => unit.repeat(Math.floor(bytes / BYTES.encode(unit).length));

/** Characters from `first` on, `step` apart, as many as fit. */
function various(first, last, step, bytes) {
  const all = [];
  for (let code = first, left = bytes; code <= last; code += step) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    left -= BYTES.encode(String.fromCodePoint(code)).length;
    if (left < 0) break;
    all.push(code);
  }
  return String.fromCodePoint(...all);
}

/** By name, how each shape fills a text of so many bytes. */
const SHAPES = {
  "the line that stopped every page": (bytes) => {
    const half = filled("http://-", (bytes * 2) / 5);
    return half + ")".repeat(bytes - half.length);
  },
  links: (bytes) => filled("http://a ", bytes),
  "links without spaces": (bytes) => filled("http://a,", bytes),
  "brackets in a link": (bytes) => `https://a.example/${"(".repeat(bytes / 2 - 20)}${")".repeat(bytes / 2 - 20)}`,
  "one long link": (bytes) => `https://${"a".repeat(bytes - 8)}`,
  schemes: (bytes) => filled("http://", bytes),
  "line breaks": (bytes) => filled("\n", bytes - 1) + ".",
  "links on lines of their own": (bytes) => filled("http://a\n", bytes),
  tabs: (bytes) => filled("\t", bytes),
  spaces: (bytes) => "a" + filled(" ", bytes - 2) + "b",
  "wide spaces": (bytes) => filled("\u3000", bytes),
  "one word": (bytes) => filled("x", bytes),
  "a word without a break": (bytes) => filled("x\u2060", bytes),
  "marks on one letter": (bytes) => `a${filled("\u0301", bytes - 1)}`,
  "marks on every letter": (bytes) => filled("Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324", bytes),
  "enclosing marks": (bytes) => filled("a\u20dd\u20e0", bytes),
  "marks alone": (bytes) => filled("\u0e49", bytes),
  "joined people": (bytes) => filled("👩\u200d", bytes),
  flags: (bytes) => filled("🇪", bytes),
  keycaps: (bytes) => filled("1\ufe0f\u20e3", bytes),
  "skin tones": (bytes) => filled("👍🏽", bytes),
  "variation selectors": (bytes) => `☃${filled("\ufe0f", bytes - 3)}`,
  tags: (bytes) => `🏴${filled("\u{e0067}", bytes - 4)}`,
  "soft hyphens": (bytes) => filled("a\u00ad", bytes),
  "breaks without width": (bytes) => filled("\u200b", bytes),
  "two directions": (bytes) => filled("aא", bytes),
  "directions and brackets": (bytes) => filled("(א[a", bytes),
  embeddings: (bytes) => filled("\u202a\u2067\u2069\u2069", bytes),
  isolates: (bytes) => filled("\u2067", bytes),
  Arabic: (bytes) => filled("لا", bytes),
  "very wide": (bytes) => filled("﷽", bytes),
  Thai: (bytes) => filled("สวัสดีชาวโลก", bytes),
  "no Thai word": (bytes) => various(0xe01, 0xe2e, 1, bytes).repeat(Math.floor(bytes / 138)),
  Khmer: (bytes) => filled("ក្ក", bytes),
  Burmese: (bytes) => filled("မြန်", bytes),
  viramas: (bytes) => filled("क्", bytes),
  jamo: (bytes) => filled("ᄀ", bytes),
  "every script": (bytes) => various(0xa1, 0xffef, 43, bytes),
  "rare characters": (bytes) => various(0x10000, 0x10ffff, 251, bytes),
  "Chinese beyond the common": (bytes) => various(0x20000, 0x2fa1f, 41, bytes),
  "private use": (bytes) => various(0xe000, 0xf8ff, 1, bytes),
  emoji: (bytes) => various(0x1f300, 0x1faff, 1, bytes),
  "mathematical letters": (bytes) => various(0x1d400, 0x1d7ff, 1, bytes),
  markup: (bytes) => filled("<b><i>&amp;", bytes),
  neutralised: (bytes) => {
    const all = [...everySpecial()];
    while (BYTES.encode(all.join("")).length > bytes) all.pop();
    return all.join("");
  },
};

/** Every shape in a text of at most so many bytes, by name. */
export const shapes = (bytes = LONGEST) => Object.entries(SHAPES).map(([name, fill]) => ({ name, text: fill(bytes) }));

/** One shape. */
export const shape = (name, bytes = LONGEST) => SHAPES[name](bytes);
