// Screenshots of the page in every state, into docs/screenshots. Run by `cargo xtask shots`; with names of states
// after it, of these alone.

import fs from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Cast } from "./support/cast.mjs";
import { STATES } from "./support/states.mjs";
import { visit } from "./support/tour.mjs";

const INTO = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
/** The looks that every state is shown in; a state with `album` is shown in all. */
const SHOWN = ["wide-light", "narrow-dark"];

const wanted = process.argv.slice(2);
const states = STATES.filter((state) => wanted.length === 0 || wanted.includes(state.name));
const cast = new Cast();
try {
  await fs.mkdir(INTO, { recursive: true });
  const taken = new Set();
  for (const state of states) {
    const shown = ({ name, width }) => state.album || SHOWN.includes(name) || (state.widths && name === `${width}-light`);
    await visit(cast, state, shown, async (person, look) => {
      const name = `${state.name}-${look.name}.png`;
      await person.page.screenshot({ path: INTO + name });
      taken.add(name);
      process.stdout.write(`    docs/screenshots/${name}\n`);
    });
  }
  // What no state is called any more goes.
  const left = wanted.length ? [] : (await fs.readdir(INTO)).filter((name) => name.endsWith(".png") && !taken.has(name));
  for (const name of left) await fs.rm(INTO + name);
} catch (error) {
  process.stderr.write(`${await cast.stage.tail()}\n`);
  throw error;
} finally {
  await cast.clear();
}
