// What a crowd in one room costs a hub: the peers are those of node-native/crowd, which measures; this writes it down.
//
//   TINCAN_BIN=… CROWD_BIN=… node web/e2e/bench-hub.mjs [--peers 200,500,1000] [--rows WORDS] [--transport tcp|ws]
//       [--patience 120] [--quick] [--before] [--out docs/performance.md]
//
// `--rows` takes words of rows' names (`join`, `lines`, `watcher`, `deaf`, `restart`, a count, `evenly`, `at-once`, `tincan`,
// `stock`) and runs the rows that have all of them: what it finds is printed and not written. `--before` writes a section
// of its own, to be kept while the hub is changed.

import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import { sections } from "./hub/text.mjs";
import { Process } from "./support/child.mjs";
import { machine, replaceSection } from "./support/report.mjs";

const { TINCAN_BIN, CROWD_BIN } = process.env;
if (!TINCAN_BIN || !CROWD_BIN) throw new Error("TINCAN_BIN or CROWD_BIN names no binary; run `cargo xtask bench hub`");

const PASSED_ON = ["peers", "rows", "transport", "patience"];

const { values: options } = parseArgs({
  options: {
    ...Object.fromEntries(PASSED_ON.map((name) => [name, { type: "string" }])),
    quick: { type: "boolean", default: false },
    before: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

const said = PASSED_ON.filter((name) => options[name]).flatMap((name) => [`--${name}`, options[name]]);
if (options.quick) said.push("--quick");

async function measured() {
  const crowd = new Process("crowd", CROWD_BIN, ["--hub", TINCAN_BIN, ...said]);
  crowd.onLine = (line) => process.stderr.write(`${line}\n`);
  const { code, signal } = await crowd.exit;
  if (code !== 0) throw new Error(`crowd ended with ${code ?? signal}: ${crowd.err.at(-1)}`);
  return crowd.out.map((line) => JSON.parse(line));
}

/** The commit of the checkout, if it is one. */
const commit = () => promisify(execFile)("git", ["rev-parse", "--short", "HEAD"]).then(({ stdout }) => stdout.trim(), () => undefined);

const began = performance.now();
const rows = await measured();
const took = `${Math.ceil((performance.now() - began) / 60_000)} min`;
const command = ["cargo xtask bench hub", ...said, ...(options.before ? ["--before"] : [])].join(" ");
const text = sections(rows, { command, took, before: options.before, commit: await commit(), machine: machine() });
process.stdout.write(`${text}\n`);
if (options.rows) process.stderr.write("only some rows were measured: nothing is written\n");
else if (options.out) await replaceSection(options.out, options.before ? "bench:hub-before" : "bench:hub", text, "# Performance");
