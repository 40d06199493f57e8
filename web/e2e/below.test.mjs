// The page below a path, without its files, and after an error in it.

import assert from "node:assert/strict";
import { below } from "./support/below.mjs";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "cellar";

scenario("behind a proxy that serves it below a path the page works, and so do its invitations", async (stage) => {
  const hub = await stage.hub();
  const proxy = await below(stage, hub);
  const ada = await stage.person(hub, "ada", ROOM, { base: proxy.page });
  const link = await ada.find("invite-link").inputValue();
  assert.ok(new URL(link).pathname.startsWith("/tincan/") || !link.includes(new URL(proxy.page).host), link);
  const bob = await stage.person(hub, "bob", ROOM, { base: proxy.page });
  await Promise.all([ada.lists("bob"), bob.lists("ada")]);
  await ada.say("below");
  await bob.sees("below");
  assert.deepEqual(proxy.failed, []);
});

/** An empty tab that is refused these files of the page. */
async function without(stage, pattern) {
  const page = await (await stage.profile()).newPage();
  await page.route(pattern, (route) => route.fulfill({ status: 404 }));
  return page;
}

scenario("without its script the page says by itself that it has not started", async (stage) => {
  const hub = await stage.hub();
  const page = await without(stage, /boot-.*\.js/);
  await page.goto(address(hub.page, ROOM));
  const late = page.getByTestId("late");
  assert.ok(!(await late.isVisible()), "not at once");
  await late.waitFor({ state: "visible" });
  assert.match(await late.textContent(), /not started yet.*reload/s);
});

scenario("without its style sheets, too", async (stage) => {
  const hub = await stage.hub();
  const page = await without(stage, /\.(css|js)$/);
  await page.goto(address(hub.page, ROOM));
  await page.getByTestId("late").waitFor({ state: "visible" });
});

for (const [what, pattern] of [["glue", /tincan-web-\w+\.js/], ["module", /_bg\.wasm/]]) {
  scenario(`without its ${what} the page says that it could not load, and loads when asked again`, async (stage) => {
    const hub = await stage.hub();
    const page = await without(stage, pattern);
    await page.goto(address(hub.page, ROOM));
    await page.getByText("Tincan could not load. Reload the page to try again.").waitFor();
    assert.equal(await page.getByTestId("late").count(), 0, "said once");
    await page.unroute(pattern);
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByTestId("message-input").waitFor();
  });
}

scenario("an error that ends the module ends in a sentence, and Reload goes on", async (stage) => {
  const hub = await stage.hub();
  const page = await (await stage.profile()).newPage();
  await page.addInitScript(() => {
    const start = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...words) => {
      const started = await start.apply(WebAssembly, words);
      globalThis.exported = started.instance.exports;
      return started;
    };
  });
  await page.goto(address(hub.page, ROOM));
  await page.getByTestId("message-input").fill("half a line");
  const note = page.getByTestId("stopped");
  for (const how of ["in an event", "in a promise"]) {
    await page.evaluate((how) => {
      // More memory than there can be: the module ends itself.
      const trap = () => globalThis.exported.__wbindgen_malloc(-16, 8);
      if (how === "in an event") setTimeout(trap);
      else Promise.resolve().then(trap);
    }, how);
    await note.waitFor();
    assert.match(await note.innerText(), /Tincan has stopped, because of an error in it\. Reload the page to go on\./);
    assert.equal(await note.count(), 1);
    await note.getByRole("button", { name: "Reload" }).click();
    await until("the page is there again", async () => (await note.count()) === 0 && (await page.getByTestId("message-input").isVisible()));
  }
});
