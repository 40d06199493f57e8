// A page that goes behind another tab, as far as the page can tell. Chromium without a window shows every tab at all
// times, so its pages are told otherwise; Firefox truly hides them.

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
