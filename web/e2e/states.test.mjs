// Each state of the page, in its words, where a person meets it.

import assert from "node:assert/strict";
import { seesExactly } from "./support/lines.mjs";
import { address, scenario } from "./support/stage.mjs";
import { freePorts } from "./support/wait.mjs";

const ROOM = "states";

scenario("before the module is there the page has its picture, its name and what it does; then it goes on", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  let load;
  const loading = new Promise((resolve) => (load = resolve));
  await ada.page.route("**/*.wasm", async (route) => {
    await loading;
    await route.continue();
  });
  await ada.page.goto(address(hub.page, ROOM), { waitUntil: "commit" });
  await ada.says("Making your key…");
  const main = ada.page.getByRole("main");
  await main.getByRole("heading", { name: "Tincan" }).waitFor();
  const { width, height } = await main.locator("svg").boundingBox();
  assert.ok(width > 100 && height > 30, "the picture is drawn");
  const paper = await ada.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.notEqual(paper, "rgba(0, 0, 0, 0)", "in the page's colours");
  assert.equal(await ada.find("status").count(), 0, "nothing runs yet");
  load();
  await ada.status("online");
});

scenario("alone in the room: nobody else is here, and the link to send", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  await ada.says("Nobody else is here yet. Send them this link:");
  assert.equal(await ada.find("invite-link").inputValue(), address(hub.page, ROOM));
  await ada.say("hello?");
  await ada.says("waiting");
});

scenario("everything lost: offline, when it tries again, a button that tries now, and the lines stay", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  await bob.lists("ada");
  await bob.say("still readable");
  await ada.sees("still readable");
  ada.mayLoseHub = bob.mayLoseHub = true;
  await hub.kill("SIGKILL");
  await ada.says(/Offline\. Trying again in \d+ s\./);
  await ada.status("offline");
  await ada.sees("still readable");
  const retry = ada.page.getByRole("button", { name: "Retry" });
  await retry.waitFor();
  await hub.start();
  await retry.click({ timeout: 1_000 }).catch(() => {}); // it may have come back by itself meanwhile
  await ada.status("online");
  assert.ok(!(await ada.page.locator("body").innerText()).includes("Offline."), "the notice goes with its reason");
});

scenario("hub lost, a peer left: who is still reached, and the chat goes on", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const [port] = await freePorts(1);
  const tom = stage.terminal("tom", ROOM, [hub.tcp], ["--listen", `/ip4/127.0.0.1/tcp/${port}/ws`]);
  await ada.lists("tom");
  await ada.dial(`/ip4/127.0.0.1/tcp/${port}/ws`);
  await ada.listsAs("tom", { path: "direct", transport: "ws" });
  ada.mayLoseHub = true;
  await hub.kill("SIGKILL");
  await ada.says("The hub is gone. You still reach 1 ");
  await ada.status("online");
  await ada.say("over the string alone");
  await seesExactly(tom, ada.peerId, ["over the string alone"], { lineFeeds: false });
});

scenario("a wrong address is explained in its place and stays to be mended", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const error = ada.page.locator("form.dial").locator('[data-testid="error"]');
  for (const wrong of ["127.0.0.1:4748", "/ip4/127.0.0.1/tcp/4747/p2p/nobody", "/ip4/127.0.0.1"]) {
    await ada.dial(wrong);
    await error.waitFor();
    assert.match(await error.textContent(), /address/, "it says what is wrong");
    assert.equal(await ada.find("dial-input").inputValue(), wrong);
  }
  await ada.find("dial-input").fill("");
});

scenario("the module comes compressed to whom takes it so, and is kept for good", async (stage) => {
  const hub = await stage.hub();
  const index = await (await fetch(hub.page)).text();
  const module = new URL(index.match(/tincan-web-[0-9a-f]+_bg\.wasm/)[0], hub.page);
  const ask = async (encoding) => {
    const response = await fetch(module, { headers: { "accept-encoding": encoding } });
    const bytes = (await response.arrayBuffer()).byteLength;
    return { ...Object.fromEntries(response.headers), bytes };
  };
  const [brotli, gzip, plain] = [await ask("gzip, br"), await ask("gzip"), await ask("identity")];
  assert.deepEqual(
    [brotli, gzip, plain].map((answer) => answer["content-encoding"]),
    ["br", "gzip", undefined],
  );
  assert.ok(Number(brotli["content-length"]) < Number(gzip["content-length"]));
  assert.ok(Number(gzip["content-length"]) < plain.bytes / 2);
  assert.equal(brotli.bytes, plain.bytes, "unpacked it is the same module");
  assert.match(plain["cache-control"], /immutable/);
  assert.equal(plain["content-type"], "application/wasm");
});
