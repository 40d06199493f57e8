// Two pages as universal-connectivity has them: behind our hub they find each other by what they tell in a topic.

import assert from "node:assert/strict";
import { jsPage } from "./support/js.mjs";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const CHAT = "universal-connectivity";
const DISCOVERY = "universal-connectivity-browser-peer-discovery";
/** They tell every 10 s; the rest is the way there. */
const WITHIN_MS = 11_000;
/** Longer than a line of Tincan's may be. */
const LONG = "Wort ".repeat(2_000);

scenario("two js pages with pubsub-peer-discovery find each other through the hub, and their long texts pass it", async (stage) => {
  const hub = await stage.hub();
  const arrive = async (name) => {
    const page = await jsPage(stage, name, { quiet: true, discovery: [DISCOVERY] });
    await page.ask("meet", hub.ws);
    await page.ask("enter", CHAT);
    await Promise.all([CHAT, DISCOVERY].map((topic) => page.seesMember(topic, hub.peerId)));
    return page;
  };
  const [jan, jun] = await Promise.all([arrive("jan"), arrive("jun")]);
  const finds = (one, other) =>
    until(`${one.name} finds ${other.name}`, async () => (await one.ask("found")).includes(other.peerId), WITHIN_MS);
  await Promise.all([finds(jan, jun), finds(jun, jan)]);

  await jan.ask("say", CHAT, LONG);
  const { from } = await jun.hears((line) => line.text === LONG);
  assert.equal(from, jan.peerId);
  for (const page of [jan, jun]) assert.deepEqual(page.faults, [], "nothing of ours disturbs them");
});
