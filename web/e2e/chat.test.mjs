// Two pages and a terminal in one room: every line once, in order, as text.

import assert from "node:assert/strict";
import { LONGEST, script, seesExactly } from "./support/lines.mjs";
import { scenario } from "./support/stage.mjs";

const ROOM = "tin";
const LINES = 50;

scenario("fifty lines of each of two pages and a terminal reach both others once, in order, as text", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await Promise.all([ada.lists("bob"), ada.lists("tom"), bob.lists("ada"), bob.lists("tom")]);
  const tomId = (await ada.lists("tom")).peer;

  const said = {
    ada: script("ada", LINES, { lineFeeds: true }),
    bob: script("bob", LINES, { lineFeeds: true }),
    tom: script("tom", LINES, { lineFeeds: false }),
  };
  const speak = async (person, lines) => {
    for (const line of lines) await person.say(line);
  };
  await Promise.all([speak(ada, said.ada), speak(bob, said.bob), speak(tom, said.tom)]);

  const everythingIsSeen = async () => {
    for (const page of [ada, bob]) {
      await seesExactly(page, ada.peerId, said.ada);
      await seesExactly(page, bob.peerId, said.bob);
      await seesExactly(page, tomId, said.tom);
    }
    await seesExactly(tom, ada.peerId, said.ada, { lineFeeds: false });
    await seesExactly(tom, bob.peerId, said.bob, { lineFeeds: false });
  };
  await everythingIsSeen();
  for (const page of [ada, bob]) {
    assert.equal(await page.page.evaluate(() => window.fooled), undefined, "markup in a message ran");
    assert.equal(await page.page.locator('[data-testid="message-text"] img').count(), 0, "markup became an element");
    for (const row of await page.peers()) {
      if (!row.hub) assert.deepEqual([row.path, row.transport], ["relayed", "gossip"], "known through the hub alone");
    }
  }

  // One more of each: what came twice or late would show now.
  await Promise.all([ada.say("ada ends"), bob.say("bob ends"), tom.say("tom ends")]);
  for (const name of Object.keys(said)) said[name].push(`${name} ends`);
  await everythingIsSeen();
});

scenario("a text above the limit is refused, named and kept, on page and terminal", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  const tomId = (await ada.lists("tom")).peer;
  const tooLong = "y".repeat(LONGEST + 1);

  await ada.type(tooLong);
  await ada.errorSays(/4[,  ]?096/);
  assert.equal(await ada.find("message-input").inputValue(), tooLong, "the text stays to be shortened");
  await ada.page.keyboard.press("Backspace");
  await ada.page.keyboard.press("Enter");
  await seesExactly(tom, ada.peerId, ["y".repeat(LONGEST)], { lineFeeds: false });

  tom.say(tooLong);
  await tom.line(/^error: the text is 4097 bytes, the limit is 4096 bytes/, { stream: "err" });
  tom.say("short enough");
  await seesExactly(ada, tomId, ["short enough"]);
});
