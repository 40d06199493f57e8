// The page before it is at its hub for the first time.

import assert from "node:assert/strict";
import { brokenModule, heldModule, heldOrigin, originGone } from "../faults.mjs";

export const BEGINNING = [
  {
    name: "loading",
    says: "Making your key…",
    reach: (cast) => cast.alone("first", { prepare: heldModule, online: false }),
    async then(person) {
      const main = person.page.getByRole("main");
      await main.getByRole("heading", { name: "Tincan" }).waitFor();
      const { width, height } = await main.locator("svg").boundingBox();
      assert.ok(width > 100 && height > 30, "the picture is drawn");
      assert.equal(await person.find("status").count(), 0, "nothing runs yet");
      person.page.release();
      await person.status("online");
    },
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
];
