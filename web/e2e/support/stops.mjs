// How long a page stops: while a task runs, nobody can type, scroll or click.

import { until } from "./wait.mjs";

/** Keeps an account of a page's long tasks, from its first moment on. */
export function watchStops(page) {
  return page.addInitScript(() => {
    window.stops = [];
    const note = (list) => window.stops.push(...list.getEntries().map((entry) => entry.duration));
    new PerformanceObserver(note).observe({ type: "longtask", buffered: true });
  });
}

/** Two frames later whatever was under way has been laid out and painted, and is in the account. */
const settled = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));

/** Milliseconds of the longest task since the last account; 0 when none was long. */
export async function longestStop(page) {
  await page.evaluate(settled);
  return page.evaluate(() => Math.round(Math.max(0, ...(window.stops?.splice(0) ?? []))));
}

/** What is on the screen, told without reading all of it. */
const state = () => {
  const lines = document.querySelectorAll('[data-testid="message-text"]');
  return { count: lines.length, last: lines[lines.length - 1]?.textContent.slice(0, 100) };
};

/** Waits until this is the last line on the screen, and so many are there. */
export function drawn(person, last, count, within) {
  const there = () => person.page.evaluate(state);
  const told = async () => `${person.name} shows ${count} lines, the last of them ${last}; shown: ${JSON.stringify(await there())}`;
  return until(told, async () => { const now = await there(); return now.last === last && now.count === count; }, within);
}

/**
 * The longest stop that something costs, of several times that it is done until one is within the limit: what else runs
 * on a machine makes a stop longer and never shorter.
 */
export async function stopOf(page, limitMs, times, act) {
  let least = Infinity;
  for (let n = 0; n < times && least > limitMs; n++) {
    await longestStop(page);
    await act(n);
    least = Math.min(least, await longestStop(page));
  }
  return least;
}
