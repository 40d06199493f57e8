// Transports side by side: in pages ours, those as published and js-libp2p; natively ours, the published one and go-libp2p.
//
//   TRIAL_BIN=… TRIAL_PAGE=… node web/e2e/bench-transports.mjs [--runs 10] [--bulk-runs 10] [--bytes 67108864]
//       [--far-runs 5] [--far-bytes 8388608] [--lossy-runs 5] [--lossy-bytes 4194304] [--idle 100]
//       [--rows WORDS] [--out docs/performance.md]
//
// A row is named by six words: `pages` or `native`, the path (`loopback`, `20ms`, `50ms`, `100ms`, `lossy`), `ws` or `webrtc`,
// who dials whom (`ours-ours`, `published-ours`, `js-ours`, `ours-stock`, `ours-go`, …), `join`, `up`, `down` or `idle`.
// `--rows` takes some of these words and runs the rows that have all of them: what it finds is printed and not written.

import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { machine, replaceSection } from "./support/report.mjs";
import { measureNative, nativeRows } from "./transports/bench/native.mjs";
import { measurePages, pageRows } from "./transports/bench/pages.mjs";
import { wanted } from "./transports/bench/paths.mjs";
import { programs } from "./transports/bench/programs.mjs";
import { aboutNative, aboutPages } from "./transports/bench/text.mjs";

const GO_MOD = new URL("../../node-native/tests/go/go.mod", import.meta.url);

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "10" },
    "bulk-runs": { type: "string", default: "10" },
    bytes: { type: "string", default: `${64 * 2 ** 20}` },
    "far-runs": { type: "string", default: "5" },
    "far-bytes": { type: "string", default: `${8 * 2 ** 20}` },
    // Where datagrams get lost, 4 MiB take WebRTC some 20 s.
    "lossy-runs": { type: "string", default: "5" },
    "lossy-bytes": { type: "string", default: `${4 * 2 ** 20}` },
    idle: { type: "string", default: "100" },
    rows: { type: "string", default: "" },
    out: { type: "string" },
  },
});
const whole = (name) => {
  const number = Number(options[name]);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} ${options[name]} is no number from 1 on`);
  return number;
};
const counted = (name, bytes) => ({ joins: whole(name), bulks: whole(name), bytes: whole(bytes) });
const runs = {
  loopback: { ...counted("runs", "bytes"), bulks: whole("bulk-runs") },
  far: counted("far-runs", "far-bytes"),
  lossy: counted("lossy-runs", "lossy-bytes"),
};
const idle = whole("idle");
const words = options.rows.split(/[\s,]+/).filter(Boolean);
const asked = wanted(words);

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

/** The sections of what was asked for. */
async function measured(directory) {
  const [pages, native] = [pageRows(asked), nativeRows(asked)];
  if (pages.length + native.length === 0) throw new Error(`no row has all the words of --rows ${options.rows}`);
  const needed = new Set([...pages.map(({ hub }) => hub), ...native.flatMap(({ dialer, listener }) => [dialer, listener])]);
  const how = { programs: await programs(directory, needed), runs, idle, note };
  const facts = { runs, idle, versions: await versions(), machine: `everything on one machine (${machine()})` };
  const found = [];
  if (pages.length > 0) found.push(aboutPages(pages, await measurePages(pages, how), facts));
  if (native.length > 0) await measureNative(native, how).then(() => found.push(aboutNative(native, facts)));
  return found;
}

const directory = await fs.mkdtemp(path.join(os.tmpdir(), "tincan-transports-"));
try {
  const found = await measured(directory);
  const { loopback, far, lossy } = runs;
  const how = `web/e2e/bench-transports.mjs --runs ${loopback.joins} --bulk-runs ${loopback.bulks} --bytes ${loopback.bytes} \
--far-runs ${far.joins} --far-bytes ${far.bytes} --lossy-runs ${lossy.joins} --lossy-bytes ${lossy.bytes}`;
  const text = `## Transports

${found.join("\n\n")}

Measured with \`cargo xtask bench transports\` (\`${how}\`). One row alone, printed and not written here:
\`cargo xtask bench transports --rows "pages 50ms webrtc ours-ours up"\`.
`;
  process.stdout.write(`${text}\n`);
  if (words.length > 0) process.stderr.write("only some rows were measured: nothing is written\n");
  else if (options.out) await replaceSection(options.out, "bench:transports", text, "# Performance");
} finally {
  await fs.rm(directory, { recursive: true, force: true });
}
