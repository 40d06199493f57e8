// The js peer in a page, for whoever drives the page.

import { Peer } from "./peer.mjs";

globalThis.peer = new Peer();
