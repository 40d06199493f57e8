// A session that lasts: a hub that is killed again and again, and members that come and go, while a checker
// watches that every line reaches everybody it has to, once and in order. Run by `cargo xtask soak session`.

import fs from "node:fs/promises";
import path from "node:path";
import { report, isClean } from "./soak/report.mjs";
import { settings, USAGE } from "./soak/settings.mjs";

const FAILED = 1;
const BAD_USAGE = 2;

const asked = readSettings();
// Loaded late: they refuse to start without a binary, and bad usage comes first.
const { outages } = await import("./soak/outages.mjs");
const { visits } = await import("./soak/visits.mjs");
const PARTS = { outages, visits };

// Children are ended by the exit of this process, which a signal alone would not bring about.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(FAILED));

const begun = performance.now();
const say = (text) => {
  const seconds = Math.floor((performance.now() - begun) / 1000);
  const minutes = String(Math.floor(seconds / 60)).padStart(2, "0");
  process.stdout.write(`[${minutes}:${String(seconds % 60).padStart(2, "0")}] ${text}\n`);
};

const ended = await Promise.allSettled(asked.parts.map((name) => PARTS[name](asked, say)));
const runs = {};
for (const [i, { value, reason }] of ended.entries()) {
  if (value) runs[asked.parts[i]] = value;
  else say(`${asked.parts[i]}: ended early: ${reason.stack}`);
}
const whole = Object.keys(runs).length === asked.parts.length;
if (whole) {
  const text = report(runs, asked);
  await fs.mkdir(path.dirname(asked.out), { recursive: true });
  await fs.writeFile(asked.out, text);
  process.stdout.write(`\n${text}\nwritten to ${asked.out}\n`);
}
process.exit(whole && Object.values(runs).every(isClean) ? 0 : FAILED);

function readSettings() {
  try {
    return settings(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n${USAGE}\n`);
    process.exit(BAD_USAGE);
  }
}
