// Two pages connect to each other, and go on when the hub is gone.

import assert from "node:assert/strict";
import { seesExactly } from "./support/lines.mjs";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "garden";
const LINES = 20;
/** Pages connect to each other only when they are opened so. */
const DIRECT = { query: "?direct" };

const isDirect = (person) => person?.path === "direct" && person.transport === "webrtc";

/** Waits until one page has another one directly. */
async function reaches(page, other) {
  await until(
    async () => `${page.name} reaches ${other.name} directly: ${JSON.stringify(await page.peers())}`,
    async () => isDirect((await page.peers()).find(({ peer }) => peer === other.peerId)),
  );
}

scenario("two pages connect directly, and go on without the hub", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM, DIRECT), await stage.person(hub, "bob", ROOM, DIRECT)];
  await Promise.all([reaches(ada, bob), reaches(bob, ada)]);

  ada.mayLoseHub = bob.mayLoseHub = true;
  await hub.kill("SIGKILL");
  const said = { ada: [], bob: [] };
  for (let n = 0; n < LINES; n++) {
    for (const person of [ada, bob]) {
      said[person.name].push(`${person.name} ${n}`);
      await person.say(said[person.name].at(-1));
    }
  }
  for (const page of [ada, bob]) {
    await seesExactly(page, ada.peerId, said.ada);
    await seesExactly(page, bob.peerId, said.bob);
    assert.equal(await page.text("status"), "online");
  }

  await hub.start();
  const cleo = await stage.person(hub, "cleo", ROOM);
  for (const page of [ada, bob, cleo]) {
    await seesExactly(page, ada.peerId, said.ada);
    await seesExactly(page, bob.peerId, said.bob);
  }
});
