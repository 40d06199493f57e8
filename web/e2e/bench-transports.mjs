// Transports side by side: in pages ours, those as published and js-libp2p; natively ours, the published one and go-libp2p.
//
//   TRIAL_BIN=… TRIAL_PAGE=… node web/e2e/bench-transports.mjs [--runs 10] [--bulk-runs 10] [--bytes 67108864]
//       [--slow-runs 5] [--slow-bytes 4194304] [--idle 100] [--hub ours|stock|go] [--pages ours,published,js]
//       [--only pages|native] [--out docs/performance.md]

import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { machine, replaceSection } from "./support/report.mjs";
import { measureNative } from "./transports/bench/native.mjs";
import { measurePages } from "./transports/bench/pages.mjs";
import { programs, startHub } from "./transports/bench/programs.mjs";
import { aboutNative, aboutPages } from "./transports/bench/text.mjs";
import { PAGES } from "./transports/trial.mjs";

const GO_MOD = new URL("../../node-native/tests/go/go.mod", import.meta.url);
const PARTS = ["pages", "native"];

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "10" },
    "bulk-runs": { type: "string", default: "10" },
    bytes: { type: "string", default: `${64 * 2 ** 20}` },
    // Over the slow path: 4 MiB take WebRTC some 20 s.
    "slow-runs": { type: "string", default: "5" },
    "slow-bytes": { type: "string", default: `${4 * 2 ** 20}` },
    idle: { type: "string", default: "100" },
    hub: { type: "string", default: "ours" },
    pages: { type: "string", default: Object.keys(PAGES).join() },
    only: { type: "string" },
    out: { type: "string" },
  },
});
const whole = (name) => {
  const number = Number(options[name]);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} ${options[name]} is no number from 1 on`);
  return number;
};
const some = (name, known) => {
  const named = options[name]?.split(",") ?? known;
  for (const one of named) if (!known.includes(one)) throw new Error(`--${name} ${one}; say ${known.join(" or ")}`);
  return named;
};
const [joins, bulks, bytes] = ["runs", "bulk-runs", "bytes"].map(whole);
const [slowRuns, slowBytes, idle] = ["slow-runs", "slow-bytes", "idle"].map(whole);
const kinds = some("pages", Object.keys(PAGES));
const parts = some("only", PARTS);
const [hub] = some("hub", ["ours", "stock", "go"]);

const note = (what, outcome) => {
  const { dial, ms, perConnection, error } = outcome;
  const told = error ?? (ms ?? dial ?? perConnection).toFixed(1);
  process.stderr.write(`    ${what}: ${told}\n`);
};

async function versions() {
  const { dependencies } = JSON.parse(await fs.readFile(new URL("package.json", import.meta.url), "utf8"));
  const [, go] = /go-libp2p (v\S+)/.exec(await fs.readFile(GO_MOD, "utf8"));
  return { js: dependencies.libp2p, go };
}

async function measured(part, built) {
  const facts = { versions: await versions(), machine: `everything on one machine (${machine()})` };
  if (part === "native") {
    const all = await measureNative({ programs: built, joins, bulks, bytes, idle, note });
    return aboutNative(all, { joins, bulks, bytes, idle, ...facts });
  }
  const runs = { loopback: { joins, bulks, bytes }, slow: { joins: slowRuns, bulks: slowRuns, bytes: slowBytes } };
  const seen = await measurePages({ startHub: () => startHub(hub, built[hub]), kinds, runs, note });
  return aboutPages(seen, { runs, hub, ...facts });
}

const directory = await fs.mkdtemp(path.join(os.tmpdir(), "tincan-transports-"));
try {
  const built = await programs(directory);
  const found = [];
  for (const part of parts) found.push(await measured(part, built));
  const how = `web/e2e/bench-transports.mjs --runs ${joins} --bulk-runs ${bulks} --bytes ${bytes} \
--slow-runs ${slowRuns} --slow-bytes ${slowBytes}`;
  const text = `## Transports

${found.join("\n\n")}

Measured with \`cargo xtask bench transports\` (\`${how}\`).
`;
  process.stdout.write(`${text}\n`);
  if (options.out) await replaceSection(options.out, "bench:transports", text, "# Performance");
} finally {
  await fs.rm(directory, { recursive: true, force: true });
}
