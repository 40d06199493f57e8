// Uploads from a page over a far path.

import { Places } from "../bench/place.mjs";
import { figure, Series } from "../bench/series.mjs";
import { within } from "../bench/within.mjs";
import { row } from "./row.mjs";

const LIMIT_MS = 90_000;
const MIB = 2 ** 20;

/** `path` is one of the bench's, `least` the bytes a second that have to be reached. */
export async function farUpload(ground, { page: kind, path, bytes, least }) {
  const what = `${bytes / MIB} MiB up over ${path}, ${kind} page`;
  const places = ground.kept(new Places(ground.programs));
  const { webrtc } = await places.reached("ours", path);
  const page = await ground.page(await ground.browser({}), kind);
  const series = new Series();
  const outcome = await series.run(async () => {
    const { ms, ok } = await within(LIMIT_MS, "the upload ends", () => page.call("bulk", webrtc, "up", bytes));
    if (!ok) throw new Error("the hash is wrong");
    return { ms };
  });
  ground.note(what, outcome);
  const rate = outcome.ms ? (bytes * 1000) / outcome.ms : 0;
  const got = `${figure(rate / MIB)} MiB/s`;
  return row(what, { series, hold: `at least ${figure(least / MIB)} MiB/s`, got, holds: rate >= least });
}
