// Each state of the page: in its words, with no rule of axe-core broken in any look, and with what follows it.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import axe from "axe-core";
import { Cast } from "./support/cast.mjs";
import { STATES } from "./support/states.mjs";
import { visit } from "./support/tour.mjs";

/** WCAG 2 in its levels A and AA, and what axe holds to be good practice beyond. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** No state may take longer. */
const STATE_LIMIT_MS = 120_000;
/** What a state is looked at in at every change; a nightly run sees every look. */
const QUICK_LOOKS = ["wide-light", "narrow-dark"];

/** Runs in the page. */
const examine = async (rules) => {
  const { violations, passes } = await window.axe.run({ runOnly: { type: "tag", values: rules } });
  const where = (node) => `${node.target.join(" ")}: ${node.failureSummary.replaceAll(/\s+/g, " ")}`;
  const ground = getComputedStyle(document.body).backgroundColor;
  const broken = violations.map((rule) => `${rule.id}: ${rule.nodes.map(where).join("; ")}`);
  return { broken, passed: passes.map((rule) => rule.id), ground };
};

const cast = new Cast();
after(() => cast.clear());

const wanted = ({ name }) => process.env.TINCAN_NIGHTLY || QUICK_LOOKS.includes(name);

for (const state of STATES) {
  test(`${state.name}: its words, accessible, and what follows`, { timeout: STATE_LIMIT_MS }, async () => {
    const broken = [];
    const grounds = {};
    await visit(cast, state, wanted, async ({ page }, look) => {
      if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
      const found = await page.evaluate(examine, RULES);
      assert.ok(found.passed.includes("color-contrast"), "axe looked at what is there");
      broken.push(...found.broken.map((rule) => `${look.name}: ${rule}`));
      grounds[look.scheme] = found.ground;
    }, { follow: true });
    assert.deepEqual(broken, []);
    assert.notEqual(grounds.light, grounds.dark, "light and dark have colours of their own");
  });
}
