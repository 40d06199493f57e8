// Who cannot see the page, or not well, can use it in every state: no rule of axe-core is broken.

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

/** Runs in the page. */
const examine = async (rules) => {
  const { violations, passes } = await window.axe.run({ runOnly: { type: "tag", values: rules } });
  const where = (node) => `${node.target.join(" ")}: ${node.failureSummary.replaceAll(/\s+/g, " ")}`;
  return { broken: violations.map((rule) => `${rule.id}: ${rule.nodes.map(where).join("; ")}`), passed: passes.map((rule) => rule.id) };
};

const cast = new Cast();
after(() => cast.clear());

for (const state of STATES) {
  test(`${state.name} is accessible, light and dark, at every width`, { timeout: STATE_LIMIT_MS }, async () => {
    const broken = [];
    await visit(cast, state, () => true, async ({ page }, look) => {
      if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
      const found = await page.evaluate(examine, RULES);
      assert.ok(found.passed.includes("color-contrast"), "axe looked at what is there");
      broken.push(...found.broken.map((rule) => `${look.name}: ${rule}`));
    });
    assert.deepEqual(broken, []);
  });
}
