// From a link to the first line: our page beside a page of js-libp2p, at one hub, in one browser.
//
//   TINCAN_BIN=… node web/e2e/bench-join.mjs [--runs 10] [--out docs/performance.md]

import fs from "node:fs/promises";
import { parseArgs } from "node:util";
import { bundle } from "./support/js.mjs";
import { machine, median, replaceSection, spread, table } from "./support/report.mjs";
import { hashOf, serve } from "./support/site.mjs";
import { address, Stage } from "./support/stage.mjs";
import { visit } from "./support/visit.mjs";

/** How often a line is said, whoever comes or goes. */
const SAY_EVERY_MS = 25;
const PAGES = { tincan: "Tincan's page", js: "js-libp2p's page" };
const CACHES = { cold: "cold", warm: "warm" };
const MOMENTS = { paint: "first paint", online: "online", line: "first line" };
/** From one moment to the next, and what happens between them. */
const PHASES = {
  tincan: [
    ["code", undefined, "until module and script are there"],
    ["wasm", "code", "compile and start the module after that"],
    ["key", "wasm", "draw, elect a key, open the storage"],
    ["dial", "key", "start the node, ask for the hub's addresses"],
    ["open", "dial", "open the WebSocket"],
    ["online", "open", "Noise, yamux, identify"],
    ["line", "online", "subscribe, until the first line"],
  ],
  js: [
    ["code", undefined, "until the script is there"],
    ["dial", "code", "run it, start the node, ask for the hub's addresses"],
    ["open", "dial", "open the WebSocket"],
    ["online", "open", "Noise, yamux, identify"],
    ["line", "online", "subscribe, until the first line"],
  ],
};

const { values: options } = parseArgs({ options: { runs: { type: "string", default: "10" }, out: { type: "string" } } });
const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${options.runs} is no number from 1 on`);

/** The js page, served as the hub serves ours, with the hub's own answer to who it is. */
async function jsSite(stage, hub) {
  const script = await bundle("chat.mjs");
  const path = `/chat-${hashOf(script)}.js`;
  const html = await fs.readFile(new URL("js-peer/chat.html", import.meta.url), "utf8");
  const node = await (await fetch(new URL("api/v1/node", hub.page))).text();
  const files = { "/": html.replace("SCRIPT", path), [path]: script, "/api/v1/node": node };
  const site = await serve(files, [path]);
  return stage.attend(site, () => site.end());
}

/** Two people in a room, so that what one says is always sent, and the first of them talking without a pause. */
async function conversation(stage, hub, room) {
  const talker = stage.terminal("talker", room, [hub.tcp]);
  stage.terminal("listener", room, [hub.tcp]);
  await talker.line(/listener/, { stream: "err" });
  let tag = "before";
  let number = 0;
  const talk = setInterval(() => talker.say(`${tag} ${number++}`), SAY_EVERY_MS);
  stage.attend({ tail: () => "  a conversation" }, () => clearInterval(talk));
  return (about) => (tag = about);
}

/** A cold visit and a warm one of a fresh profile to each page, the order changing from run to run. */
async function run(n, hub, site, note) {
  const bases = Object.entries({ tincan: hub.page, js: site.url });
  for (const [name, base] of n % 2 ? bases : bases.reverse()) {
    const stage = new Stage();
    try {
      const room = `run-${n}-${name}`;
      const talkAbout = await conversation(stage, hub, room);
      const profile = await stage.profileOnDisk();
      for (const cache of Object.keys(CACHES)) {
        talkAbout(`${cache}-${n}`);
        note(name, cache, await visit(profile, address(base, room), `${cache}-${n} `));
      }
    } catch (error) {
      process.stderr.write(`${await stage.tail()}\n`);
      throw error;
    } finally {
      await stage.clear();
    }
  }
}

function figures(seen) {
  const of = (name, cache, moment) => seen[name][cache].map((one) => one[moment]);
  const rows = Object.keys(CACHES).flatMap((cache) =>
    Object.keys(PAGES).map((name) => [
      `${PAGES[name]}, ${CACHES[cache]}`,
      ...Object.keys(MOMENTS).map((moment) => spread(of(name, cache, moment))),
      Math.round(median(of(name, cache, "bytes")) / 1024),
    ]),
  );
  const main = table(["ms: median (least–most)", ...Object.values(MOMENTS), "KiB fetched"], rows);
  const phases = Object.entries(PHASES).map(([name, all]) => {
    const cell = (cache, to, from) => spread(seen[name][cache].map((one) => one[to] - (from ? one[from] : 0)));
    return table([PAGES[name], ...Object.values(CACHES)], all.map(([to, from, what]) => [what, ...Object.keys(CACHES).map((cache) => cell(cache, to, from))]));
  });
  return { main, phases };
}

const stage = new Stage();
const seen = Object.fromEntries(Object.keys(PAGES).map((name) => [name, { cold: [], warm: [] }]));
try {
  const hub = await stage.hub();
  const site = await jsSite(stage, hub);
  for (let n = 1; n <= runs; n++) {
    await run(n, hub, site, (name, cache, moments) => {
      seen[name][cache].push(moments);
      const short = Object.keys(MOMENTS).map((moment) => `${moment} ${Math.round(moments[moment])}`);
      process.stderr.write(`    run ${n} of ${runs}, ${name}, ${cache}: ${short.join(", ")} ms\n`);
    });
  }
  const { main, phases } = figures(seen);
  const about = `The way from a link to the conversation: \`cargo xtask bench join\`, ${runs} runs of each page, alternating, in one
headless Chromium against one hub on loopback; ${machine()}. Both pages come compressed ahead from plain http servers,
dial by WebSocket, and wait for a line that a terminal says every ${SAY_EVERY_MS} ms. Cold: an empty browser cache.`;
  const text = [about, main, "Where the time goes:", ...phases].join("\n\n");
  process.stdout.write(`${text}\n`);
  if (options.out) await replaceSection(options.out, "bench:join", text, "# Performance\n");
} finally {
  await stage.clear();
}
