// A page that goes behind another tab, as far as the page can tell. Playwright has Chromium show every tab at all times,
// so such pages are told otherwise; Firefox, and the pages of `Stage.tabs`, are truly hidden.

import { until } from "./wait.mjs";

/** Runs in the page before anything else: its visibility is what `setHidden` says. */
const pretend = () => {
  let hidden = false;
  Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
  Object.defineProperty(document, "hidden", { get: () => hidden });
  window.setHidden = (value) => {
    hidden = value;
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  };
};

/** Somebody whose page can be hidden. */
export async function hideable(person) {
  await person.page.addInitScript(pretend);
  return person;
}

export const hide = (person) => person.page.evaluate(() => window.setHidden(true));
export const show = (person) => person.page.evaluate(() => window.setHidden(false));

/** Puts another tab in front of a page of `Stage.tabs`. */
export async function cover({ page }) {
  await (await page.context().newPage()).bringToFront();
  await until("the page is hidden", () => page.evaluate(() => document.visibilityState === "hidden"));
}

const lifecycle = async ({ page }, state) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state });
  await session.detach();
};

/** The browser stops a hidden page of `Stage.tabs`, and lets it go on. */
export const freeze = (person) => lifecycle(person, "frozen");
export const thaw = (person) => lifecycle(person, "active");
