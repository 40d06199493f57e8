// One line of the soak's report: what had to hold, and what came of it.

import { median } from "../../support/report.mjs";
import { figure } from "../bench/series.mjs";

/** How often each reason ended a run: `[text, times]`, the most frequent first. */
const reasons = (errors) => [...errors].sort(([, one], [, other]) => other - one);

/**
 * `series` are the runs; all of them have to end well, unless `holds` says something else. `figures` are shown whatever
 * they are; `hold` says in words what had to hold, `got` what it came to.
 */
export function row(what, { series, hold = "all", got, figures = "", holds, failures = [] }) {
  const ended = series.outcomes.length;
  return {
    what,
    count: series.runs,
    ok: ended,
    figures,
    hold,
    got: got ?? (ended === series.runs ? "all" : `${ended} of ${series.runs}`),
    holds: holds ?? (ended === series.runs && ended > 0),
    failures: [...reasons(series.errors).map(([text, times]) => `${times} of ${series.runs}: ${text}`), ...failures],
  };
}

/** The value that this share of the values does not exceed. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** `name: median, p99, worst` in milliseconds; nothing when nothing was measured. */
export function times(name, values) {
  if (!values.length) return "";
  const [middle, late, worst] = [median(values), quantile(values, 0.99), Math.max(...values)].map(figure);
  return `${name} median ${middle}, p99 ${late}, worst ${worst} ms`;
}

export const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
