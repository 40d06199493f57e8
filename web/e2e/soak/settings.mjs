// What a soak can be told on the command line.

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const REPORT = fileURLToPath(new URL("../../../docs/soak-session.md", import.meta.url));

/** Numbers: default, least, most. */
const NUMBERS = {
  outages: [20, 1, 1000],
  down: [120, 1, 3600],
  minutes: [10, 0.1, 600],
  pages: [8, 0, 64],
  terminals: [8, 0, 64],
  seed: [1, 0, Number.MAX_SAFE_INTEGER],
  margin: [20, 1, 600],
};
const PARTS = ["outages", "visits"];

export const USAGE = `usage: cargo xtask soak session [--outages N] [--down SECONDS] [--minutes M] [--pages N]
         [--terminals N] [--seed N] [--margin SECONDS] [--only outages|visits | --together] [--out FILE]`;

/** Settings with times in milliseconds, or an error that says what is wrong with the words. */
export function settings(words) {
  const number = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, { type: "string" }]));
  const options = { ...number, only: { type: "string" }, together: { type: "boolean" }, out: { type: "string" } };
  const { values } = parseArgs({ args: words, options });
  const read = {};
  for (const [name, [standard, least, most]] of Object.entries(NUMBERS)) {
    const value = values[name] === undefined ? standard : Number(values[name]);
    const whole = name === "minutes" || Number.isInteger(value);
    if (values[name] === "" || !whole || !(value >= least && value <= most)) {
      throw new Error(`--${name} must be a ${name === "minutes" ? "" : "whole "}number from ${least} to ${most}`);
    }
    read[name] = value;
  }
  const { only, together } = values;
  if (only !== undefined && !PARTS.includes(only)) throw new Error(`--only must be ${PARTS.join(" or ")}`);
  if (only !== undefined && together) throw new Error("--only and --together contradict each other");
  return {
    ...read,
    down: read.down * 1000,
    margin: read.margin * 1000,
    parts: only ? [only] : PARTS,
    out: values.out ?? REPORT,
    command: ["cargo xtask soak session", ...words].join(" "),
  };
}
