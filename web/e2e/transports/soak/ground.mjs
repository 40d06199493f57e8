// What the parts of a soak share: programs, hubs of every kind, browsers and pages, all ended with the part.

import { startHub } from "../bench/programs.mjs";
import { within } from "../bench/within.mjs";
import { TrialPage, trialBrowser, trialSite } from "../trial.mjs";

const LOAD_LIMIT_MS = 60_000;
const CLOSE_LIMIT_MS = 30_000;

/** One site for each kind of page: making one takes seconds, as its files are compressed. */
export class Sites {
  #known = {};

  async url(kind) {
    return (await (this.#known[kind] ??= trialSite(kind))).url;
  }

  /** Once nobody asks for more. */
  async end() {
    for (const site of Object.values(this.#known)) await (await site).end();
  }
}

export class Ground {
  #ends = [];

  /** `programs` by name, as those of the bench; `note(what, outcome)` hears of every run. */
  constructor({ programs, sites, note = () => {} }) {
    Object.assign(this, { programs, sites, note });
  }

  kept(one, end = () => one.end()) {
    this.#ends.push(end);
    return one;
  }

  async hub(name = "ours") {
    return this.kept(await startHub(name, this.programs[name]));
  }

  async browser(options) {
    const browser = await within(LOAD_LIMIT_MS, "a browser starts", () => trialBrowser(options));
    return this.kept(browser, () => browser.close());
  }

  async page(browser, kind = "ours") {
    const url = await this.sites.url(kind);
    return within(LOAD_LIMIT_MS, "the page is there", () => TrialPage.open(browser, url));
  }

  /** Ends everything, the latest first; all of it, whatever fails on the way. */
  async clear() {
    for (const end of this.#ends.splice(0).reverse()) {
      await within(CLOSE_LIMIT_MS, "the end of what a part had started", end).catch((error) => this.note("clearing", { error: error.message }));
    }
  }
}

/** Runs a part on a ground of its own. */
export async function on(what, part) {
  const ground = new Ground(what);
  try {
    return await part(ground);
  } finally {
    await ground.clear();
  }
}
