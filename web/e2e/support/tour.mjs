// Goes to a state, and looks at it in every way.

import { look, looksOf } from "./looks.mjs";

/**
 * Leads somebody into a state, calls `see(person, look)` in each of these looks, goes on to what follows it where that
 * is wanted, and lets them go.
 */
export async function visit(cast, state, looks, see, { follow = false } = {}) {
  const person = await state.reach(cast);
  for (const one of looksOf(state).filter(looks)) {
    await look(person, state, one);
    await person.says(state.says);
    await see(person, one);
  }
  if (follow) await state.then?.(person, cast);
  if (!state.faulty) person.assertClean();
  if (!state.stays) await person.page.close();
}
