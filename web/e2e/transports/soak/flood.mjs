// Strangers flood a hub at a rate, from many addresses, with requests and handshakes that they leave; honest peers on a
// path of some length join all the while.

import { Process } from "../../support/child.mjs";
import { Series, figure } from "../bench/series.mjs";
import { within } from "../bench/within.mjs";
import { slowPath } from "../proxy.mjs";
import { joinsWhile } from "./honest.mjs";
import { forgetPeak, residence } from "./memory.mjs";
import { mib, quantile, row, times } from "./row.mjs";

/** How far strangers go, in the words of `trial flood --kind`. */
const KINDS = {
  stun: "ask by STUN",
  hello: "ask and say hello, and hear no answer",
  cookie: "ask, say hello, return the cookie and go silent",
  mixed: "do one of these three",
};
/** Peers at once, which join about as often a second on either path. */
const PATHS = [
  { rttMs: 20, lanes: 4 },
  { rttMs: 100, lanes: 12 },
];
/** `held`: what has to hold is known; else it is told what comes of it. */
const FLOODS = [
  ...["stun", "hello", "cookie"].map((kind) => ({ kind, rate: 2000, held: true, honest: 1000 })),
  ...["hello", "cookie"].map((kind) => ({ kind, rate: 5000, held: false, honest: 200 })),
];
export const FLOOD = { baseline: 300, paths: PATHS, floods: FLOODS, pages: { kind: "mixed", rate: 2000, count: 100 } };

const SUCCEED = 0.999;
const SLOWER = 2;
/** Of the strangers that were to come, those that a busy machine must let come all the same. */
const CAME = 0.9;
/** For 1,024 handshakes of strangers with cookies, as many that are about to end, and the honest peers. */
const GROWTH_BYTES = 192 * 2 ** 20;
const LIMIT_MS = 1_800_000;
const PAGE_LIMIT_MS = 30_000;

/** Rows: on every path the joins without a flood, then under each; the same from a page; and what the hub kept. */
export async function flood(ground, { baseline, paths, floods, pages } = FLOOD) {
  const hub = await ground.hub();
  const { pid } = hub.process.child;
  const before = (await residence(pid)).now;
  await forgetPeak(pid);
  const rows = [];
  for (const { rttMs, lanes } of paths) {
    const address = await at(ground, hub.webrtc, rttMs);
    const joins = (count) => joinsWhile((made) => made < count, { program: ground.programs.ours.program, address, lanes });
    const quiet = await seriesOf(await joins(baseline));
    const base = totals(quiet);
    const among = `${rttMs} ms away, ${lanes} at once`;
    rows.push(row(`honest native joins without a flood, ${among}`, { series: quiet, figures: times("join", base) }));
    for (const { honest, ...kind } of floods) {
      const under = await during(ground, hub, kind, () => joins(honest));
      rows.push(joined(`honest native joins ${among}`, { kind, base, ...under, series: await seriesOf(under.done) }));
    }
  }
  if (pages) for (const { rttMs } of paths) rows.push(...(await fromPage(ground, hub, rttMs, pages)));
  const { peak } = await residence(pid);
  rows.push({
    ...row("the hub's resident memory under all of it", { series: new Series() }),
    figures: `before ${mib(before)}, at most ${mib(peak)}`,
    hold: `at most ${mib(GROWTH_BYTES)} more than before`,
    got: `${mib(peak - before)} at most`,
    holds: peak - before <= GROWTH_BYTES,
  });
  return rows;
}

/** The same address by a path of this length. */
async function at(ground, address, rttMs) {
  const port = Number(/\/udp\/(\d+)\//.exec(address)[1]);
  const path = ground.kept(await slowPath({ udp: port }, { rttMs, loss: 0 }));
  return address.replace(`/udp/${port}/`, `/udp/${path.udp}/`);
}

/** Does something while strangers come. Answers what it came to, what they did, and what is wrong with that. */
async function during(ground, hub, { kind, rate }, act) {
  const words = ["flood", hub.webrtc, "--kind", kind, "--rate", `${rate}`];
  const strangers = ground.kept(new Process("flood", ground.programs.ours.program, words), () => strangers.kill());
  const done = await within(LIMIT_MS, "what goes on under a flood ends", act);
  const how = await strangers.endInput();
  const told = strangers.out.find((line) => line.startsWith("{"));
  if (!told) return { done, sent: "", broken: [`the flood failed: ${strangers.err.at(-1) ?? JSON.stringify(how)}`] };
  const { strangers: came, cookies, begun, seconds } = JSON.parse(told);
  const least = CAME * rate * seconds;
  const broken = came >= least ? [] : [`a flood of ${figure(came / seconds)} strangers a second`];
  if (kind !== "stun" && cookies === 0) broken.push("no stranger's hello was answered");
  if (kind === "cookie" && begun === 0) broken.push("no stranger's handshake went on");
  return { done, sent: `${came} came in ${figure(seconds)} s, ${cookies} got cookies, ${begun} server hellos with repeated ones`, broken };
}

/** A row of those who joined under a flood. */
function joined(what, { kind: { kind, rate, held }, base, sent, broken, series }) {
  const under = totals(series);
  const share = series.outcomes.length / series.runs;
  const [p99, p99Under] = [base, under].map((values) => quantile(values, 0.99));
  const slower = p99Under / p99;
  return row(`${what}, while ${rate} strangers a second ${KINDS[kind]}`, {
    series,
    figures: `${times("join", under)}; ${sent}`,
    hold: held ? `${SUCCEED * 100} %, p99 ≤ ${SLOWER}× that without a flood` : "told, not held",
    got: `${figure(share * 100)} %, p99 ${figure(slower)}×`,
    holds: broken.length === 0 && (!held || (share >= SUCCEED && slower <= SLOWER)),
    failures: broken,
  });
}

/** The same from Chromium: a row of joins without strangers, then one of joins among them. */
async function fromPage(ground, hub, rttMs, { count, ...kind }) {
  const address = await at(ground, hub.webrtc, rttMs);
  const page = await ground.page(await ground.browser({}));
  const joins = async () => {
    const series = new Series();
    for (let n = 0; n < count; n++) {
      await series.run(() => within(PAGE_LIMIT_MS, "join ends", () => page.call("join", address)));
    }
    return series;
  };
  const quiet = await joins();
  const base = totals(quiet);
  const { done: series, ...under } = await during(ground, hub, kind, joins);
  const among = `from Chromium ${rttMs} ms away`;
  return [
    row(`honest joins without a flood, ${among}`, { series: quiet, figures: times("join", base) }),
    joined(`honest joins ${among}`, { kind: { ...kind, held: true }, base, ...under, series }),
  ];
}

const totals = (series) => series.values(({ total }) => total);

async function seriesOf(joins) {
  const series = new Series();
  for (const join of joins) {
    await series.run(() => {
      if (join.error) throw new Error(join.error);
      return join;
    });
  }
  return series;
}
