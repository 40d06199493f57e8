// Transports for long and under strain: joins by the hundred, everybody with everybody, streams that nobody reads, hubs
// that are killed, a flood. Run by `cargo xtask soak transports`.
//
//   TRIAL_BIN=… TRIAL_PAGE=… node web/e2e/soak-transports.mjs [--scale 1] [--only joins,cycles,streams,kills,flood]
//       [--out docs/soak-transports.md]

import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { machine } from "./support/report.mjs";
import { programs } from "./transports/bench/programs.mjs";
import { Sites, on } from "./transports/soak/ground.mjs";
import { PARTS, parts } from "./transports/soak/parts.mjs";
import { text } from "./transports/soak/text.mjs";
import { versions } from "./transports/soak/versions.mjs";

const FAILED = 1;
const LEAST_SCALE = 0.01;
const MOST_SCALE = 10;

const { values: options } = parseArgs({
  options: {
    out: { type: "string" },
    scale: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const scale = Number(options.scale);
if (!(scale >= LEAST_SCALE && scale <= MOST_SCALE)) {
  throw new Error(`--scale ${options.scale}; say a number from ${LEAST_SCALE} to ${MOST_SCALE}`);
}
const chosen = options.only?.split(",") ?? PARTS;
for (const one of chosen) if (!PARTS.includes(one)) throw new Error(`--only ${one}; say ${PARTS.join(" or ")}`);

// Children are ended by the exit of this process, which a signal alone would not bring about.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(FAILED));

const begun = performance.now();
const minutes = () => {
  const seconds = Math.round((performance.now() - begun) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};
const say = (words) => process.stderr.write(`[${minutes()}] ${words}\n`);
const note = (what, { error }) => error && say(`    ${what}: ${error}`);

/** A part that falls is a row that does not hold; the others go on. */
const fallen = (name, error) => ({
  what: `${name}: could not be run to its end`,
  count: 0,
  ok: 0,
  figures: "",
  hold: "",
  got: "",
  holds: false,
  failures: [error.message.split("\n")[0]],
});

const directory = await fs.mkdtemp(path.join(os.tmpdir(), "tincan-soak-"));
const sites = new Sites();
let rows;
try {
  const built = await programs(directory);
  const found = {};
  for (const name of chosen) {
    found[name] = [];
    for (const part of parts(scale)[name]) {
      const made = await on({ programs: built, sites, note }, part).catch((error) => fallen(name, error));
      for (const row of [made].flat()) {
        say(`${row.holds ? "holds" : "DOES NOT HOLD"}: ${row.what}: ${row.got}; ${row.figures}`);
        found[name].push(row);
      }
    }
  }
  const words = process.argv.slice(2).filter((word, i, all) => word !== "--out" && all[i - 1] !== "--out");
  const command = ["cargo xtask soak transports", ...words].join(" ");
  const took = `${minutes()} minutes`;
  const report = text(found, { command, versions: await versions(), machine: machine(), took });
  process.stdout.write(report);
  if (options.out) await fs.writeFile(options.out, report);
  rows = Object.values(found).flat();
} finally {
  await sites.end();
  await fs.rm(directory, { recursive: true, force: true });
}
process.exit(rows.every(({ holds }) => holds) ? 0 : FAILED);
