// Strangers flood a hub with requests and handshakes that they leave; honest peers join all the while.

import { passed } from "../../support/wait.mjs";
import { Process } from "../../support/child.mjs";
import { Series, figure } from "../bench/series.mjs";
import { within } from "../bench/within.mjs";
import { joinsWhile } from "./honest.mjs";
import { forgetPeak, residence } from "./memory.mjs";
import { mib, quantile, row, times } from "./row.mjs";

export const FLOOD = { baseline: 300, requests: 50_000, halfOpen: 2000, honest: 1000, lanes: 2, afterMs: 30_000 };
const SUCCEED = 0.999;
const SLOWER = 2;
const GROWTH_BYTES = 64 * 2 ** 20;
const LIMIT_MS = 1_800_000;

/** Rows by name: who joined without it, who with it, how late, and what the hub kept. */
export async function flood(ground, { baseline, requests, halfOpen, honest, lanes, afterMs } = FLOOD) {
  const hub = await ground.hub();
  const { pid } = hub.process.child;
  const { program } = ground.programs.ours;
  const joins = (goesOn) => joinsWhile(goesOn, { program, address: hub.webrtc, lanes });

  const quiet = await joins((made) => made < baseline);
  ground.note(`${quiet.length} honest joins without a flood`, { ms: quantile(quiet.map(({ total }) => total ?? 0), 0.99) });
  const before = (await residence(pid)).now;
  await forgetPeak(pid);

  const words = ["flood", hub.webrtc, "--requests", `${requests}`, "--half-open", `${halfOpen}`];
  const begun = performance.now();
  let over;
  const stranger = ground.kept(new Process("flood", program, words), () => stranger.kill());
  const ended = stranger.exit.then((how) => ((over = performance.now()), how));
  const all = await within(LIMIT_MS, "the flood and the joins end", () => joins((made) => !over || made < honest));
  const how = await ended;
  const { peak } = await residence(pid);
  await passed(afterMs);
  const { now: after } = await residence(pid);

  const during = all.filter((join) => join.begun < over && join.ended > begun);
  const flooded = stranger.out.find((line) => line.startsWith("{"));
  const sent = `${requests} requests and ${halfOpen} half-open handshakes in ${figure((over - begun) / 1000)} s`;
  const broken = how.code === 0 && flooded ? [] : [`the flood failed: ${stranger.err.at(-1) ?? JSON.stringify(how)}`];
  const [base, under] = [await seriesOf(quiet), await seriesOf(during)];
  const total = ({ total }) => total;
  const whole = await seriesOf(all);
  const share = whole.outcomes.length / whole.runs;
  const [p99, p99During] = [base, under].map((series) => quantile(series.values(total), 0.99));
  return {
    quiet: row(`honest native joins without a flood, ${lanes} at once`, { series: base, figures: times("join", base.values(total)) }),
    honest: row(`honest native joins under flood and until ${honest} were made, ${lanes} at once`, {
      series: whole,
      figures: `${sent}; ${under.outcomes.length} of ${under.runs} that met the flood; ${times("join", whole.values(total))}`,
      hold: `${SUCCEED * 100} % of them`,
      got: `${figure(share * 100)} %`,
      holds: share >= SUCCEED && broken.length === 0,
      failures: broken,
    }),
    met: row("of them, those that met the flood", {
      series: under,
      figures: times("join", under.values(total)),
      hold: `p99 ≤ ${SLOWER}× that without a flood`,
      got: p99During && p99 ? `${figure(p99During)} ms = ${figure(p99During / p99)}×` : "nothing measured",
      holds: p99During <= SLOWER * p99,
    }),
    memory: {
      ...row("the hub's resident memory under the flood", { series: new Series() }),
      figures: `before ${mib(before)}, at most ${mib(peak)}, ${afterMs / 1000} s after ${mib(after)}`,
      hold: `at most ${mib(GROWTH_BYTES)} more than before`,
      got: `${mib(peak - before)} at most, ${mib(after - before)} after`,
      holds: peak - before <= GROWTH_BYTES,
    },
  };
}

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
