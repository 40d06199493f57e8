// The page as people use it, and what it answers to their mistakes.

import assert from "node:assert/strict";
import { ROOM } from "../cast.mjs";
import { jsProcess } from "../js.mjs";
import { LONGEST } from "../lines.mjs";
import { address } from "../stage.mjs";
import { until } from "../wait.mjs";

export const IN_USE = [
  {
    name: "alone",
    says: "Nobody else is here yet. Send them this link:",
    reach: (cast) => cast.alone("attic"),
    async then(person, cast) {
      assert.equal(await person.find("invite-link").inputValue(), address((await cast.hub()).page, "attic"));
    },
  },
  {
    name: "waiting",
    says: "waiting",
    async reach(cast) {
      const person = await cast.alone("cellar");
      await person.say("Is anybody down here?");
      return person;
    },
  },
  {
    name: "room",
    says: "from a newer Tincan",
    reach: async (cast) => (await cast.lively()).jonas,
    stays: true,
    album: true,
  },
  {
    name: "people",
    says: "Network",
    widths: ["narrow"],
    sheet: /People/,
    reach: async (cast) => (await cast.lively()).mira,
    stays: true,
  },
  {
    name: "rooms",
    says: "Join",
    widths: ["narrow"],
    sheet: /Rooms/,
    async reach(cast) {
      const { hub, jonas } = await cast.lively();
      const person = await cast.stage.person(hub, "ben", ROOM);
      await person.join("garden");
      await jonas.say("Ben, are you still in the garden?");
      await until("a line is unread", async () => /1 unread/.test(await person.tab(ROOM).textContent()));
      return person;
    },
  },
  {
    name: "unseen",
    says: "1 new",
    async reach(cast) {
      const { hub, jonas, mira } = await cast.lively();
      const person = await cast.stage.person(hub, "ben", ROOM);
      await person.sees("https://libp2p.io explains the string.");
      await person.page.setViewportSize({ width: 800, height: 420 });
      const lines = person.page.getByRole("region", { name: "Lines" });
      await lines.evaluate((list) => list.scrollTo(0, 0));
      await until("the list stands at its head", () => lines.evaluate((list) => list.scrollTop === 0));
      await mira.say("And bring Ben.");
      await Promise.all([jonas.sees("And bring Ben."), person.says("1 new")]);
      return person;
    },
  },
  {
    name: "plain-room",
    says: "plain text, for another program",
    async reach(cast) {
      const hub = await cast.hub();
      const person = await cast.stage.somebody("mira");
      await person.open(`${address(hub.page, "weather")}&plain`, "mira");
      const radio = cast.stage.terminal("radio", "weather", [hub.tcp], ["--plain"]);
      await radio.line(/^joined: /, { stream: "err" });
      radio.say("Rain from the west by four o'clock.");
      await person.sees("Rain from the west by four o'clock.");
      await person.say("Thank you!");
      await person.sees("Thank you!");
      return person;
    },
  },
  {
    name: "foreign-room",
    says: "People here use another program and see your messages as garbage.",
    async reach(cast) {
      const hub = await cast.hub();
      const crew = await Promise.all(["jan", "jun"].map((name) => jsProcess(cast.stage, name)));
      for (const js of crew) await js.enter(hub.ws, "commons");
      const person = await cast.stage.person(hub, "mira", "commons");
      await person.says("People here use another program");
      await crew[0].ask("say", "commons", "Welcome! Your lines come as garbage here.");
      await person.sees("Welcome! Your lines come as garbage here.");
      await person.say("Oh, sorry.");
      await person.sees("Oh, sorry.");
      return person;
    },
  },
  {
    name: "no-room",
    says: "You are in no room. Join one to talk.",
    async reach(cast) {
      const person = await cast.alone("porch");
      await person.leave("porch");
      return person;
    },
  },
  {
    name: "nick",
    says: /nick/i,
    focus: (person) => person.find("nick-input").focus(),
    async reach(cast) {
      const person = await cast.alone("mirror");
      await person.find("nick-input").fill("ß".repeat(40));
      await person.page.keyboard.press("Enter");
      await person.errorSays(/64 bytes/);
      return person;
    },
  },
  {
    name: "too-long",
    says: "bytes",
    async reach(cast) {
      const person = await cast.alone("library");
      await person.type("the same again ".repeat(LONGEST / 15 + 1));
      await person.errorSays(/4096|4,096/);
      return person;
    },
  },
  {
    name: "wrong-address",
    says: "is not an address to dial",
    sheet: /People/,
    async reach(cast) {
      const person = await cast.alone("switchboard");
      await person.dial("127.0.0.1:4748");
      return person;
    },
    async then(person) {
      const error = person.page.locator("form.dial").locator('[data-testid="error"]');
      for (const wrong of ["/ip4/127.0.0.1/tcp/4747/p2p/nobody", "/ip4/127.0.0.1"]) {
        await person.dial(wrong);
        await error.waitFor();
        assert.match(await error.textContent(), /address/, "it says what is wrong");
        assert.equal(await person.find("dial-input").inputValue(), wrong, "the text stays to be mended");
      }
    },
  },
  {
    name: "console",
    says: "not found: soup",
    sheet: /People/,
    focus: (person) => person.find("console-input").focus(),
    async reach(cast) {
      const person = await cast.alone("workshop");
      for (const line of ["HELP", "PUT tea two sugars", "GET tea", "GET soup"]) await person.ask(line);
      return person;
    },
  },
  {
    name: "second-tab",
    says: "Tincan is open in another tab; here you are a second guest.",
    async reach(cast) {
      const { hub } = await cast.lively();
      const profile = await cast.stage.profile();
      await cast.stage.person(hub, "ben", ROOM, { profile });
      return cast.stage.person(hub, "ben too", ROOM, { profile });
    },
  },
];
