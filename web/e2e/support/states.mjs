// Every state a person can meet the page in, and how to get there truly. The test of access and the screenshots
// go through this one table.

import { ROOM } from "./cast.mjs";
import { allowBytes, brokenModule, clockOffBy, fillStorage, heldModule, heldOrigin, originGone, storage } from "./faults.mjs";
import { LONGEST } from "./lines.mjs";
import { address } from "./stage.mjs";
import { until } from "./wait.mjs";

/** A hub's `--config` that lets nobody be in two rooms. */
const ONE_ROOM_EACH = "[limits]\ncarried_rooms_per_peer = 1\n";
const HOUR_MS = 3_600_000;
/** What a browser with little room stores: a key, a room and a few lines. */
const STORED_BYTES = 100_000;

/**
 * `reach` leads somebody there and answers them; `says` is on the page from then on, whatever the look.
 * `widths` are those that the state exists in, `sheet` the one it is in where the page is narrow, `focus` what is
 * in use. A `faulty` page may report errors to its console. Whoever `stays` is needed by others; an `album`
 * state is shown in every look.
 */
export const STATES = [
  {
    name: "loading",
    says: "Making your key…",
    reach: (cast) => cast.alone("first", { prepare: heldModule, online: false }),
  },
  {
    name: "not-loaded",
    says: "Tincan could not load. Reload the page to try again.",
    reach: (cast) => cast.alone("first", { prepare: brokenModule, online: false }),
    faulty: true,
  },
  {
    name: "starting",
    says: "Looking for the hub…",
    reach: (cast) => cast.alone("first", { prepare: heldOrigin, online: false }),
  },
  {
    name: "no-hub",
    says: "Offline. The hub of this page does not answer: it cannot be reached.",
    reach: (cast) => cast.alone("first", { prepare: originGone, online: false }),
    faulty: true,
  },
  {
    name: "alone",
    says: "Nobody else is here yet. Send them this link:",
    reach: (cast) => cast.alone("attic"),
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
  {
    name: "no-storage",
    says: "Your browser keeps nothing here: this identity ends with the tab.",
    reach: (cast) => cast.alone("beach", { prepare: storage.missing }),
  },
  {
    name: "storage-full",
    says: "Your browser's storage takes no more",
    async reach(cast) {
      const person = await cast.alone("shelf", { prepare: allowBytes(STORED_BYTES) });
      await fillStorage(person);
      await person.join("pantry");
      await person.say("One more jar?");
      return person;
    },
  },
  {
    name: "clock-wrong",
    says: /Your clock is [23] h \d+ min ahead of the hub's/,
    reach: (cast) => cast.alone("tower", { prepare: clockOffBy(3 * HOUR_MS) }),
  },
  {
    name: "refused",
    says: /The hub …\w+ refuses: this hub carries 1 rooms for one peer/,
    async reach(cast) {
      const person = await cast.alone("hall", { hub: await cast.stage.hub({ config: ONE_ROOM_EACH }) });
      await person.join("stairs");
      return person;
    },
  },
  {
    name: "turned-away",
    says: /The hub turns this page away.* Trying again/,
    async reach(cast) {
      const { hub, person } = await cast.doomed("gate");
      await hub.kill();
      await hub.configure(`deny = ["${person.peerId}"]\n`);
      await hub.start();
      return person;
    },
  },
  {
    name: "port-silent",
    says: /This page's hub answers, but its peer port \d+ does not\. Trying again/,
    async reach(cast) {
      const hub = await cast.hub();
      const road = await cast.stage.road(hub);
      await road.peers.cut();
      const person = await road.somebody("mira");
      person.mayLoseHub = true;
      await person.page.goto(address(road.base, "harbour"));
      return person;
    },
  },
  {
    name: "hub-gone",
    says: "The hub is gone. You still reach 1 person directly.",
    async reach(cast) {
      const { hub, person } = await cast.doomed("island");
      const { terminal, listen } = await cast.dialable("sam", "island", hub);
      await person.lists("sam");
      await person.dial(listen);
      await person.listsAs("sam", { path: "direct", transport: "ws" });
      terminal.say("Just you and me, then.");
      await person.sees("Just you and me, then.");
      await hub.kill("SIGKILL");
      return person;
    },
  },
  {
    name: "offline",
    says: /Offline\. Trying again in \d+ s\./,
    async reach(cast) {
      const { hub, person } = await cast.doomed("tunnel");
      const sam = cast.stage.terminal("sam", "tunnel", [hub.tcp]);
      await person.lists("sam");
      sam.say("Long tunnel ahead.");
      await person.sees("Long tunnel ahead.");
      await person.say("See you on the other side.");
      await sam.kill();
      await hub.kill("SIGKILL");
      await person.status("offline");
      await person.say("Anybody?");
      return person;
    },
  },
];
