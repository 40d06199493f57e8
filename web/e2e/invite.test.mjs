// Invitations that others can open, also from a page that was opened on the hub's own machine.

import assert from "node:assert/strict";
import os from "node:os";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "party";
/** Addresses of this machine that others may reach. */
const outer = Object.values(os.networkInterfaces()).flat().filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address);
const link = (person) => person.find("invite-link").inputValue();
const onlyHere = (person) => person.find("only-here").count();

for (const host of ["127.0.0.1", "localhost"]) {
  scenario(`opened as ${host}, the page of a hub that others reach invites to where they reach it`, async (stage) => {
    const hub = await stage.hub({ host: "0.0.0.0" });
    const ada = await stage.person(hub, "ada", ROOM, { base: `http://${host}:${hub.ports.http}/` });
    if (outer.length === 0) return until("it says that the link is for this machine", () => onlyHere(ada));
    await until("the link names another address", async () => outer.includes(new URL(await link(ada)).hostname));
    assert.equal(await onlyHere(ada), 0);
    const { port, hash } = new URL(await link(ada));
    assert.deepEqual([port, hash], [String(hub.ports.http), `#room=${ROOM}`]);
    const bob = await stage.somebody("bob");
    await bob.open(await link(ada), "bob");
    await ada.lists("bob");
    await bob.say("found it");
    await ada.sees("found it");
  });
}

scenario("of a hub that nobody else reaches, the page says that the link is for this machine only", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  await until("it says so", () => onlyHere(ada));
  await ada.says("It works on this machine only.");
  assert.equal(await link(ada), `${hub.page}#room=${ROOM}`);
  await ada.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await ada.find("copy-link").click();
  await ada.says("Copied, for this machine only");
});

scenario("opened by a name, the page invites to that name", async (stage) => {
  const hub = await stage.hub({ host: "0.0.0.0" });
  const base = `http://hub.test:${hub.ports.http}/`;
  const ada = await stage.person(hub, "ada", ROOM, { base });
  assert.equal(await link(ada), `${base}#room=${ROOM}`);
  assert.equal(await onlyHere(ada), 0);
});
