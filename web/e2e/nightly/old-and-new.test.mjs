// The first published build and today's share a room and its records, whichever of them the hub is.

import assert from "node:assert/strict";
import fs from "node:fs/promises";
import path from "node:path";
import { seesExactly } from "../support/lines.mjs";
import { OLD_BINARY } from "../support/process.mjs";
import { scenario } from "../support/stage.mjs";

const ROOM = "ages";
const LINES = 10;
const AGES = ["old", "new"];

/** A hub of each age, which do not know each other. */
async function hubs(stage) {
  const [old, young] = [await stage.hub({ binary: OLD_BINARY }), await stage.hub()];
  return { old, new: young };
}

/** A page of one age at a hub of either. */
function page(stage, nick, age, hub, served) {
  const query = served[age] === hub ? "" : `?hub=${encodeURIComponent(hub.ws)}`;
  return stage.person(hub, nick, ROOM, { base: served[age].page, query });
}

const binaryOf = (age) => (age === "old" ? OLD_BINARY : undefined);
const terminal = (stage, nick, age, hub) => stage.terminal(nick, ROOM, [hub.tcp], [], undefined, binaryOf(age));

/** Four people at a hub: a page and a terminal of each age. */
async function company(stage, hub, served) {
  const people = [];
  for (const age of AGES) {
    people.push(await page(stage, `${age} page`, age, hub, served));
    people.push(terminal(stage, `${age} terminal`, age, hub));
  }
  const watcher = people[0];
  for (const one of people) if (one.nick) one.peerId = (await watcher.lists(one.nick)).peer;
  const pages = people.filter((one) => !one.nick);
  for (const viewer of pages) for (const one of people) if (one !== viewer) await viewer.lists(one.nick ?? one.name);
  return people;
}

for (const age of AGES) {
  scenario(`at a hub of the ${age} build both ages chat, and late-comers of both get what was said`, async (stage) => {
    const served = await hubs(stage);
    const hub = served[age];
    const people = await company(stage, hub, served);
    const said = new Map();
    for (const one of people) {
      said.set(one, Array.from({ length: LINES }, (_, n) => `${n} of ${one.name}`));
      for (const line of said.get(one)) await one.say(line);
    }
    const seesAll = async (viewer) => {
      for (const [author, lines] of said) {
        if (author !== viewer) await seesExactly(viewer, author.peerId, lines, { lineFeeds: false });
      }
    };
    for (const viewer of people) await seesAll(viewer);
    for (const late of AGES) {
      await seesAll(await page(stage, `late ${late} page`, late, hub, served));
      await seesAll(terminal(stage, `late ${late} terminal`, late, hub));
    }
  });

  scenario(`at a hub of the ${age} build each age finds what the other stored`, async (stage) => {
    const hub = (await hubs(stage))[age];
    const consoles = AGES.map((one) => [one, stage.console(one, [hub.tcp], binaryOf(one))]);
    for (const [one, console] of consoles) {
      assert.match(await console.ask(`PUT from-${one} a value`), /^stored from-\w+ on [1-9]/);
      assert.match(await console.ask(`PUT_PROVIDER thing-${one}`), /told [1-9]/);
    }
    for (const [one] of consoles) {
      for (const [, console] of consoles) {
        assert.equal(await console.ask(`GET from-${one}`), `from-${one} = a value`);
        assert.match(await console.ask(`GET_PROVIDERS thing-${one}`), /^providers of thing-\w+: 12D3KooW/);
      }
    }
  });

  scenario(`a hub of the ${age} build runs on the data of the other, and the new one still has its records`, async (stage) => {
    const hub = await stage.hub({ binary: binaryOf(age) });
    const put = async (one) => {
      const console = stage.console(one, [hub.tcp], binaryOf(one));
      assert.equal(await console.ask(`PUT from-${one} a value`), `stored from-${one} on 1 ${one === "old" ? "peers" : "peer"}`);
      await console.endInput();
    };
    await put(age);
    for (const binary of [binaryOf(age === "old" ? "new" : "old"), binaryOf(age), undefined]) {
      await hub.kill("SIGTERM");
      hub.binary = binary;
      await hub.start();
      await put("new");
    }
    await hub.kill("SIGTERM");
    await hub.start();
    assert.equal(await stage.console("reader", [hub.tcp]).ask("GET from-new"), "from-new = a value");
  });

  scenario(`at a hub of the ${age} build lines that waited reach an old terminal once, also of a sender that forgot that it sent them`, async (stage) => {
    const hub = (await hubs(stage))[age];
    const home = await stage.directory();
    const [data, live] = ["data", "live"].map((name) => path.join(home, name));
    const kept = ["kept one", "kept two", "kept three"];
    const alone = stage.terminal("ann", ROOM, [], [], data);
    for (const line of kept) {
      alone.say(line);
      await alone.line(new RegExp(`waiting for somebody: ${line}`), { stream: "err" });
    }
    await alone.kill("SIGTERM");
    const old = terminal(stage, "old", "old", hub);
    await old.line(/online/, { stream: "err" });
    const runs = ["first run", "second run", "third run"];
    for (const run of runs) {
      await fs.rm(live, { recursive: true, force: true });
      await fs.cp(data, live, { recursive: true });
      const ann = stage.terminal("ann", ROOM, [hub.tcp], [], live);
      ann.say(run);
      await old.line(new RegExp(`: ${run}$`));
      await ann.kill();
    }
    assert.deepEqual(old.messages().map((message) => message.text), [...kept, ...runs]);
  });
}
