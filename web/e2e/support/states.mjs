// Every state a person can meet the page in, and how to get there truly. The test of states and the screenshots
// go through this one table.

import { AWAY } from "./states/away.mjs";
import { BEGINNING } from "./states/beginning.mjs";
import { IN_USE } from "./states/in-use.mjs";
import { TROUBLE } from "./states/trouble.mjs";

/**
 * `reach` leads somebody there and answers them; `says` is on the page from then on, whatever the look.
 * `widths` are those that the state exists in, `sheet` the one it is in where the page is narrow, `focus` what is
 * in use. A `faulty` page may report errors to its console. Whoever `stays` is needed by others; an `album`
 * state is shown in every look. `then` goes on from there, and checks what follows.
 */
export const STATES = [...BEGINNING, ...IN_USE, ...AWAY, ...TROUBLE];
