// The js-libp2p page as it is served.

import { bundle } from "../../support/bundle.mjs";

/** Its files, by path. */
export async function files() {
  const index = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/trial.js"></script>';
  return { "/": index, "/trial.js": await bundle(new URL("page.mjs", import.meta.url)) };
}
