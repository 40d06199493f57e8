// What many runs of one kind came to: figures, and how often there were none and why.

import { median } from "../../support/report.mjs";

/** Of an error's text. */
const MOST_TOLD = 300;

export class Series {
  runs = 0;
  outcomes = [];
  /** How often each error ended a run. */
  errors = new Map();
  /** Runs that ended well and were told of on the page's console. */
  faulty = 0;

  /** One more run; an error ends it and not the bench. Answers what the run came to, in short. */
  async run(act) {
    this.runs++;
    try {
      const outcome = await act();
      this.outcomes.push(outcome);
      if (outcome.faults?.length) this.faulty++;
      return outcome;
    } catch (error) {
      const text = reason(error);
      this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
      return { error: text };
    }
  }

  get failed() {
    return this.runs - this.outcomes.length;
  }

  values(of) {
    return this.outcomes.map(of).filter((value) => value !== undefined);
  }

  /** The middle of what `of` makes of the outcomes; nothing when all failed. */
  median(of) {
    const values = this.values(of);
    return values.length ? median(values) : undefined;
  }

  /** `median (least–most)`, with as many digits as tell something. */
  cell(of) {
    const values = this.values(of);
    if (values.length === 0) return this.runs ? "failed" : "–";
    return `${figure(median(values))} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`;
  }
}

/** An error's text in one line, without where in a page it came from. */
function reason({ message }) {
  const lines = message.split("\n").filter((line) => !line.startsWith("    at "));
  return lines.join(" ").replace(/^page\.evaluate: (Error: )?/, "").slice(0, MOST_TOLD);
}

/** A number of about three digits. */
export const figure = (value) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);

/** How many times the other one is. */
export const ratio = (one, other) => (one !== undefined && other ? `${figure(one / other)}×` : "–");
