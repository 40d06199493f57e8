// Screenshots of the page as people meet it, into docs/screenshots. Run by `cargo xtask shots`.

import fs from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { address, Stage } from "./support/stage.mjs";

const INTO = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const WIDE = { width: 1280, height: 800 };
const MEDIUM = { width: 800, height: 900 };
const NARROW = { width: 360, height: 720 };
const ROOM = "kitchen";

const TALK = [
  ["mira", "Can everybody hear me?"],
  ["jonas", "Loud and clear. Where does this run?"],
  ["mira", "On Sam's laptop, and in this tab. Nowhere else."],
  ["sam", "I am the terminal in the corner."],
  ["sam", "Each of us is a peer with a key of their own."],
  ["jonas", "So when I close the laptop…"],
  ["mira", "…the lines wait here and go out when you are back."],
  ["jonas", "Nice. The plan for Saturday:\n1. bring two tins\n2. bring string"],
  ["sam", "https://libp2p.io explains the string."],
];

const stage = new Stage();
const shoot = async (person, name) => {
  await person.page.evaluate(() => document.activeElement?.blur());
  await person.page.screenshot({ path: `${INTO}${name}.png` });
  process.stdout.write(`    docs/screenshots/${name}.png\n`);
};
const person = async (hub, nick, viewport, colorScheme, room = ROOM) => {
  const one = await stage.somebody(nick, undefined, { viewport, colorScheme, reducedMotion: "reduce" });
  await one.open(address(hub.page, room), nick);
  return one;
};

try {
  await fs.mkdir(INTO, { recursive: true });
  const hub = await stage.hub();

  const alone = await person(hub, "mira", NARROW, "light", "attic");
  await alone.says("Nobody else is here yet");
  await shoot(alone, "empty-narrow-light");
  await alone.say("Is anybody up here?");
  await shoot(alone, "waiting-narrow-light");

  const cast = {
    jonas: await person(hub, "jonas", WIDE, "light"),
    mira: await person(hub, "mira", WIDE, "dark"),
    sam: stage.terminal("sam", ROOM, [hub.tcp]),
  };
  const phone = await person(hub, "ida", NARROW, "dark");
  const tablet = await person(hub, "ben", MEDIUM, "light");
  await Promise.all(["mira", "sam", "ida", "ben"].map((nick) => cast.jonas.lists(nick)));
  for (const [who, text] of TALK) {
    await cast[who].say(text);
    await Promise.all([cast.jonas, cast.mira, phone, tablet].map((one) => one.sees(text)));
  }
  await shoot(cast.jonas, "room-wide-light");
  await shoot(cast.mira, "room-wide-dark");
  await shoot(tablet, "room-medium-light");
  await shoot(phone, "room-narrow-dark");

  await cast.jonas.dial("127.0.0.1:4748");
  const second = await stage.somebody("jonas", cast.jonas.page.context());
  await second.open(address(hub.page, ROOM), "jonas too");
  await second.says("second guest");
  await second.dial("127.0.0.1:4748");
  await shoot(second, "second-tab-wrong-address-wide-light");

  for (const one of [cast.jonas, cast.mira]) one.mayLoseHub = true;
  await hub.kill("SIGKILL");
  await phone.says("Offline.");
  await shoot(phone, "offline-narrow-dark");
} catch (error) {
  process.stderr.write(`${await stage.tail()}\n`);
  throw error;
} finally {
  await stage.clear();
}
