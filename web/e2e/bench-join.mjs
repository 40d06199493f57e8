// From a link to the first line: our page beside a page of js-libp2p, at one hub, in one browser.
//
//   TINCAN_BIN=… node web/e2e/bench-join.mjs [--runs 10] [--out docs/performance.md]

import fs from "node:fs/promises";
import { parseArgs } from "node:util";
import { bundle } from "./support/bundle.mjs";
import { machine, median, replaceSection, spread, table } from "./support/report.mjs";
import { hashOf, serve } from "./support/site.mjs";
import { address, Stage } from "./support/stage.mjs";
import { visit } from "./support/visit.mjs";

/** How often a line is said to who has come. */
const SAY_EVERY_MS = 25;
const PAGES = { tincan: "Tincan's page", js: "js-libp2p's page" };
const CACHES = { cold: "cold", warm: "warm" };
const MOMENTS = { paint: "first paint", online: "online", line: "first line" };
const CONNECTING = [
  ["open", "dial", "open the WebSocket"],
  ["online", "open", "Noise, yamux, identify"],
  ["line", "online", "subscribe, until the first line"],
];
/** From one moment to the next, and what happens between them. */
const PHASES = {
  tincan: [
    ["code", undefined, "until module and script are there"],
    ["wasm", "code", "compile and start the module after that"],
    ["dial", "wasm", "draw, open the storage, elect a key, start the node (the hub's addresses come meanwhile)"],
    ...CONNECTING,
  ],
  js: [
    ["code", undefined, "until the script is there"],
    ["lookup", "code", "run it"],
    ["dial", "lookup", "ask for the hub's addresses, start the node"],
    ...CONNECTING,
  ],
};

const { values: options } = parseArgs({ options: { runs: { type: "string", default: "10" }, out: { type: "string" } } });
const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${options.runs} is no number from 1 on`);

/** The js page, served as the hub serves ours, with the hub's own answer to who it is. */
async function jsSite(stage, hub) {
  const script = await bundle(new URL("js-peer/chat.mjs", import.meta.url));
  const path = `/chat-${hashOf(script)}.js`;
  const html = await fs.readFile(new URL("js-peer/chat.html", import.meta.url), "utf8");
  const node = await (await fetch(new URL("api/v1/node", hub.page))).text();
  const files = { "/": html.replace("SCRIPT", path), [path]: script, "/api/v1/node": node };
  const site = await serve(files, [path]);
  return stage.attend(site, () => site.end());
}

/** Two people in a room. The first greets whoever comes as soon as the hub lists them, and goes on until told. */
class Conversation {
  static async begin(stage, hub, room) {
    const talk = new Conversation();
    talk.talker = stage.terminal("talker", room, [hub.tcp]);
    // What is said with nobody there would wait.
    stage.terminal("listener", room, [hub.tcp]);
    await talk.hears(/^joined: /, 0);
    return talk;
  }

  hears(pattern, after) {
    return this.talker.line(pattern, { stream: "err", after });
  }

  /** Does something that brings somebody into the room and out of it again, and greets them by a tag. */
  async with(tag, coming) {
    const before = this.talker.err.length;
    let number = 0;
    let talking;
    const greeted = this.hears(/^joined: /, before).then(() => {
      talking = setInterval(() => this.talker.say(`${tag}${number++}`), SAY_EVERY_MS);
    });
    const [answer] = await Promise.all([coming(), greeted]).finally(() => clearInterval(talking));
    await this.hears(/^left: /, before);
    return answer;
  }
}

/** A cold visit and a warm one of a fresh profile to each page, the order changing from run to run. */
async function run(n, hub, site, note) {
  const bases = Object.entries({ tincan: hub.page, js: site.url });
  for (const [name, base] of n % 2 ? bases : bases.reverse()) {
    const stage = new Stage();
    try {
      const room = `run-${n}-${name}`;
      const talk = await Conversation.begin(stage, hub, room);
      const profile = await stage.profileOnDisk();
      for (const cache of Object.keys(CACHES)) {
        const tag = `${cache} ${n} `;
        note(name, cache, await talk.with(tag, () => visit(profile, address(base, room), tag)));
      }
    } catch (error) {
      process.stderr.write(`${await stage.tail()}\n`);
      throw error;
    } finally {
      await stage.clear();
    }
  }
}

/** What was measured, how, and the figures. */
async function section(hub, seen) {
  const values = (name, cache, moment) => seen[name][cache].map((one) => one[moment]);
  const joins = Object.keys(CACHES).flatMap((cache) =>
    Object.keys(PAGES).map((name) => [
      `${PAGES[name]}, ${CACHES[cache]}`,
      ...Object.keys(MOMENTS).map((moment) => spread(values(name, cache, moment))),
      Math.round(median(values(name, cache, "bytes")) / 1024),
    ]),
  );
  const phases = Object.entries(PHASES).map(([name, all]) => {
    const length = (cache, from, to) => spread(seen[name][cache].map((one) => one[to] - (one[from] ?? 0)));
    const rows = all.map(([to, from, what]) => [what, ...Object.keys(CACHES).map((cache) => length(cache, from, to))]);
    return table([PAGES[name], ...Object.values(CACHES)], rows);
  });
  const { agent } = await (await fetch(new URL("api/v1/node", hub.page))).json();
  const { dependencies } = JSON.parse(await fs.readFile(new URL("package.json", import.meta.url), "utf8"));
  return `## Joining

From the link to the first line of somebody else, in milliseconds since the navigation began: median (least–most) of
${runs} runs. Both pages speak the same protocols (WebSocket, WebRTC-direct, Noise, yamux, identify, ping, gossipsub,
Kademlia, circuit relay), come brotli-compressed from loopback, ask where the hub is and dial it by WebSocket.
Somebody in the room greets the newcomer as soon as the hub lists them, and every ${SAY_EVERY_MS} ms from then on; both pages verify
what they show. A cold visit is the first of a fresh profile, a warm one the next; Tincan's page also keeps its key,
and its room. The order of the two changes from run to run.

${table(["", ...Object.values(MOMENTS), "KiB fetched"], joins)}

Where the time goes, one after the other:

${phases.join("\n\n")}

Measured with \`cargo xtask bench join\` (\`web/e2e/bench-join.mjs --runs ${runs}\`): ${agent}, js-libp2p ${dependencies.libp2p},
Chromium ${seen.tincan.cold[0].browser} headless, everything on one machine (${machine()}).
`;
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
  const text = await section(hub, seen);
  process.stdout.write(`${text}\n`);
  if (options.out) await replaceSection(options.out, "bench:join", text, "# Performance");
} finally {
  await stage.clear();
}
