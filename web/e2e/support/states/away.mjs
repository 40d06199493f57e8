// What the page shows to who comes back, and what belongs to this browser alone.

import { hide, hideable, show } from "../unseen.mjs";
import { address } from "../stage.mjs";
import { until } from "../wait.mjs";

const LONG = Array.from({ length: 40 }, (_, i) => `${i + 1}. a thing to bring`).join("\n");

/** Somebody in a room with a terminal that talks. */
async function withTerminal(cast, room, nick) {
  const hub = await cast.hub();
  const person = await cast.alone(room, { prepare: (page) => hideable({ page }) });
  const terminal = cast.stage.terminal(nick, room, [hub.tcp]);
  const { peer } = await person.lists(nick);
  const say = async (text) => {
    terminal.say(text);
    await person.sees(text);
  };
  return { hub, person, peer, say };
}

export const AWAY = [
  {
    name: "new-since",
    says: "new since you were here",
    async reach(cast) {
      const { person, say } = await withTerminal(cast, "balcony", "sam");
      await say("Back in five minutes.");
      await hide(person);
      await say("Here I am again.");
      await say("Where are you?");
      await show(person);
      return person;
    },
  },
  {
    name: "folded",
    says: "Show all",
    async reach(cast) {
      const { person } = await withTerminal(cast, "garage", "sam");
      await person.say("The list:");
      await person.say(LONG);
      return person;
    },
  },
  {
    name: "muted",
    says: "2 lines are hidden: you muted who said so.",
    async reach(cast) {
      const { person, peer, say } = await withTerminal(cast, "market", "crier");
      await say("Buy!");
      await say("Buy now!");
      await person.say("Too loud for me.");
      await person.page.locator(`[data-testid="peer-row"][data-peer="${peer}"] [data-testid="mute"]`).click();
      await until("the lines are gone", async () => (await person.messages()).length === 1);
      return person;
    },
  },
  {
    name: "this-browser",
    says: /Become peer|Become twin/,
    sheet: /People/,
    focus: (person) => person.find("identity-accept").scrollIntoViewIfNeeded(),
    async reach(cast) {
      const hub = await cast.hub();
      const twin = await cast.stage.somebody("twin");
      await twin.open(address(hub.page, "mirror"), "twin");
      await twin.find("settings-toggle").click();
      const [download] = await Promise.all([twin.page.waitForEvent("download"), twin.find("identity-export").click()]);
      const file = await download.path();
      const person = await cast.alone("mirror");
      await person.find("settings-toggle").click();
      await person.find("identity-import").setInputFiles(file);
      await person.find("identity-offer").waitFor();
      await twin.page.close();
      return person;
    },
  },
];
