// Words that are composed by an input method: its keys are not the page's, in whatever order a browser reports them.

import assert from "node:assert/strict";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "ime";
const WORD = "日本語";
/** "An input method has had this key." */
const COMPOSING = 229;

/**
 * The events by which each browser ends a composition with Enter, after those that began it. Chrome 156, Firefox 140 and
 * Safari 18 with the system's Japanese input method.
 */
const COMMITS = {
  Chrome: [
    ["keydown", { key: "Enter", isComposing: true, keyCode: COMPOSING }],
    ["compositionend"],
    ["keyup", { key: "Enter", isComposing: false, keyCode: 13 }],
  ],
  Firefox: [
    ["keydown", { key: "Process", isComposing: true, keyCode: COMPOSING }],
    ["compositionend"],
    ["keyup", { key: "Enter", isComposing: false, keyCode: 13 }],
  ],
  Safari: [
    ["compositionend"],
    ["keydown", { key: "Enter", isComposing: false, keyCode: COMPOSING }],
    ["keyup", { key: "Enter", isComposing: false, keyCode: 13 }],
  ],
};

/** Composes the word in the focused field, and ends with these events. Tells which keydown was taken from the browser. */
const compose = (person, word, events) =>
  person.page.evaluate(
    ([word, events]) => {
      const field = document.activeElement;
      const send = (name, init = {}) => {
        const Kind = name.startsWith("key") ? KeyboardEvent : CompositionEvent;
        return field.dispatchEvent(new Kind(name, { bubbles: true, cancelable: true, data: word, ...init }));
      };
      send("compositionstart");
      send("compositionupdate");
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, word);
      field.dispatchEvent(new InputEvent("input", { bubbles: true, isComposing: true, data: word }));
      return events.map(([name, init]) => send(name, init));
    },
    [word, events],
  );

for (const [browser, events] of Object.entries(COMMITS)) {
  scenario(`as ${browser} reports it, the Enter that takes a word does nothing else, in any field`, async (stage) => {
    const hub = await stage.hub();
    const ada = await stage.person(hub, "ada", ROOM);
    await ada.find("console-toggle").click();
    for (const name of ["message-input", "nick-input", "console-input", "room-input", "dial-input"]) {
      await ada.find(name).focus();
      await compose(ada, WORD, events);
      assert.equal(await ada.find(name).inputValue(), WORD, `${name} keeps what is composed`);
    }
    assert.deepEqual(await ada.messages(), []);
    assert.equal(await ada.find("console-output").locator("> *").count(), 0);
    assert.equal(await ada.errors(), "");
    await ada.find("message-input").focus();
    await ada.page.keyboard.press("Enter");
    await ada.sees(WORD);
    await ada.find("console-input").focus();
    await ada.page.keyboard.press("Enter");
    await until("the console answers", async () => (await ada.find("console-output").locator("> *").count()) === 2);
  });
}

scenario("Safari's late Enter does not send the form that its field is in", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  await ada.find("console-toggle").click();
  for (const name of ["console-input", "room-input", "dial-input"]) {
    await ada.find(name).focus();
    const [, goesOn] = await compose(ada, WORD, COMMITS.Safari);
    assert.equal(goesOn, false, `${name}: the browser is told to do no more with it`);
  }
});

scenario("arrows and Escape belong to the input method while it composes", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  await ada.ask("HELP");
  await ada.find("console-input").focus();
  for (const key of ["ArrowUp", "ArrowDown"]) {
    await compose(ada, WORD, [["keydown", { key, isComposing: true, keyCode: COMPOSING }]]);
    assert.equal(await ada.find("console-input").inputValue(), WORD);
  }
  await ada.page.keyboard.press("ArrowUp");
  assert.equal(await ada.find("console-input").inputValue(), "HELP");

  await ada.page.setViewportSize({ width: 360, height: 740 });
  await ada.page.getByRole("button", { name: "Rooms" }).click();
  const panel = ada.page.locator("#rooms");
  await ada.find("room-input").focus();
  await compose(ada, WORD, [["keydown", { key: "Escape", isComposing: true, keyCode: COMPOSING }]]);
  assert.match(await panel.getAttribute("class"), /open/);
  await ada.page.keyboard.press("Escape");
  await until("the panel closes", async () => !/open/.test(await panel.getAttribute("class")));
});

scenario("a sentence composed in the browser's own way is sent whole, once, and only when it is done", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  await Promise.all([ada.lists("bob"), bob.lists("ada")]);
  const browser = await ada.page.context().newCDPSession(ada.page);
  const key = (windowsVirtualKeyCode) =>
    browser.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode });
  const input = ada.find("message-input");
  await input.focus();
  let typed = "";
  for (const [steps, word] of [[["に", "にほ", "にほんご"], "日本語"], [["한", "한그"], "한글"], [["zhong", "zhongwen"], "中文"]]) {
    for (const text of steps) {
      await browser.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
      assert.equal(await input.inputValue(), typed + text, "what is composed stays in the field");
    }
    await key(COMPOSING);
    await browser.send("Input.insertText", { text: word });
    typed += word;
    // As Safari does: once more, when nothing is composed any longer.
    await key(COMPOSING);
    assert.equal(await input.inputValue(), typed);
  }
  assert.deepEqual(await ada.messages(), []);
  await ada.page.keyboard.press("Enter");
  await bob.sees("日本語한글中文");
  assert.deepEqual(await bob.textsOf(ada.peerId), ["日本語한글中文"]);
});
