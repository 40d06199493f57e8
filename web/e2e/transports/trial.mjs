// A trial: a hub to dial, and pages that dial it. `docs` of the protocol: webrtc/trial/src/lib.rs.

import fs from "node:fs/promises";
import { Process } from "../support/child.mjs";
import { serve } from "../support/site.mjs";
import { passed, until } from "../support/wait.mjs";
import { chromiumPage, firefoxPage } from "./browsers.mjs";

/** What cargo and wasm-bindgen made. */
const { TRIAL_BIN, TRIAL_PAGE } = process.env;
/** What belongs to the page and is not made. */
const PAGE_SOURCE = new URL("../../../webrtc/trial/page/", import.meta.url);
/** Kinds of pages, and the query that a page is opened with. */
export const PAGES = { ours: "?transports=ours", published: "?transports=published", js: "" };
/** When the last of what a page has to say on its console has come. */
const CONSOLE_MS = 200;

/** `trial`, as a hub or as a peer. */
export class Trial extends Process {
  constructor(name, words) {
    if (!TRIAL_BIN) throw new Error("TRIAL_BIN names no binary; build it with `cargo build -p tincan-trial`");
    super(name, TRIAL_BIN, words);
  }
}

/** A trial hub, once it listens: `peer`, and the addresses `ws` and `webrtc`. */
export async function trialHub({ transports = "ours", ip = "127.0.0.1" } = {}) {
  const process = new Trial("trial hub", ["hub", "--transports", transports, "--ip", ip]);
  const told = JSON.parse(await process.line(/^\{/));
  return { ...told, process, end: () => process.endInput() };
}

/** The files of a kind of page, by path. */
async function files(kind) {
  // The js page brings a function that bundles it.
  if (kind === "js") return (await import("./js/site.mjs")).files();
  if (!TRIAL_PAGE) throw new Error("TRIAL_PAGE names no directory that wasm-bindgen wrote tincan_trial_page.js into");
  const made = (name) => fs.readFile(`${TRIAL_PAGE}/${name}`);
  const source = (name) => fs.readFile(new URL(name, PAGE_SOURCE));
  return {
    "/": await source("index.html"),
    "/trial.mjs": await source("trial.mjs"),
    "/tincan_trial_page.js": await made("tincan_trial_page.js"),
    "/tincan_trial_page_bg.wasm": await made("tincan_trial_page_bg.wasm"),
  };
}

/** Serves a kind of page. */
export async function trialSite(kind) {
  const site = await serve(await files(kind));
  return { url: `${site.url}${PAGES[kind]}`, end: () => site.end() };
}

/** A browser in which trials are opened. `nomangle` is Chromium that does not let pages rewrite their credentials. */
export function trialBrowser({ firefox = false, nomangle = false } = {}) {
  if (firefox && nomangle) throw new Error("Firefox has no such switch; leave out nomangle");
  return firefox ? firefoxPage() : chromiumPage({ nomangle });
}

/** A page with `globalThis.trial`, and what its console held against it. */
export class TrialPage {
  faults = [];

  static async open(browser, url) {
    const trial = new TrialPage();
    trial.page = await browser.newPage();
    trial.page.on("pageerror", (error) => trial.faults.push(`thrown: ${error.message}`));
    trial.page.on("console", (message) => {
      if (/^(error|warn|warning|assert)$/.test(message.type())) trial.faults.push(`console: ${message.text()}`);
    });
    await trial.page.goto(url);
    const told = () => `${url} has globalThis.trial; faults: ${trial.faults.join(" | ")}`;
    await until(told, () => trial.page.evaluate(() => typeof globalThis.trial === "object"));
    return trial;
  }

  /** Calls `trial[name](...words)`; errors come as they are thrown in the page. */
  call(name, ...words) {
    const run = ([name, words]) => globalThis.trial[name](...words);
    return this.page.evaluate(run, [name, words]);
  }

  /** Everything that was said against it since the last time; the end of a connection may be told a little later. */
  async takeFaults() {
    await passed(CONSOLE_MS);
    return this.faults.splice(0);
  }

  close() {
    return this.page.close();
  }
}
