// What can be wrong around a page: each is prepared before it is opened.

import { randomBytes } from "node:crypto";

/** The module does not arrive until `page.release()`. */
export async function heldModule(page) {
  const released = new Promise((resolve) => (page.release = resolve));
  await page.route("**/*.wasm", async (route) => {
    await released;
    await route.continue();
  });
}

/** The module cannot be had. */
export const brokenModule = (page) => page.route("**/*.wasm", (route) => route.abort("connectionreset"));

/** The page's origin does not say who its hub is, and no patience of the page ends. */
export async function heldOrigin(page) {
  await page.route("**/api/v1/node", () => {});
  await page.addInitScript(() => {
    const soon = window.setTimeout;
    window.setTimeout = (run, ms, ...more) => (ms >= 3_000 ? 0 : soon(run, ms, ...more));
  });
}

/** The page's origin is gone once the page is loaded. */
export const originGone = (page) => page.route("**/api/v1/node", (route) => route.abort("connectionrefused"));

/** A browser that lets the page store nothing, in one of the ways they do so. */
export const storage = {
  missing: (page) =>
    page.addInitScript(() => Object.defineProperty(window, "indexedDB", { get: () => undefined })),
  throwing: (page) =>
    page.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      };
    }),
  failing: (page) =>
    page.addInitScript(() => {
      const open = IDBFactory.prototype.open;
      // A version below the one that is there: the browser itself fires `error`.
      IDBFactory.prototype.open = function (name) {
        const first = open.call(this, name, 1_000_000);
        first.onsuccess = () => first.result.close();
        return open.call(this, name, 1);
      };
    }),
};

/** A browser that stores, until the page has `refusesStorage` set. */
export const refusable = (page) =>
  page.addInitScript(() => {
    for (const name of ["put", "delete"]) {
      const real = IDBObjectStore.prototype[name];
      IDBObjectStore.prototype[name] = function (...parts) {
        if (window.refusesStorage) throw new DOMException("No space is left.", "QuotaExceededError");
        return real.apply(this, parts);
      };
    }
  });

/** A browser whose disk is slow while the page has `slowDisk` set: what it is to write is under way until then. */
export const slowable = (page) => page.addInitScript(mayBeSlow);
export const mayBeSlow = () => {
  const commit = IDBTransaction.prototype.commit;
  IDBTransaction.prototype.commit = function () {
    const goOn = () => {
      if (!window.slowDisk) commit.call(this);
      // Whoever asks keeps the transaction open.
      else this.objectStore(this.objectStoreNames[0]).get("").onsuccess = goOn;
    };
    goOn();
  };
};

/** The device's clock is off by so much, for everything that runs in the page. */
export const clockOffBy = (ms) => (page) =>
  page.addInitScript((off) => {
    const now = Date.now;
    window.Date = class extends Date {
      constructor(...parts) {
        if (parts.length) super(...parts);
        else super(now() + off);
      }
      static now() {
        return now() + off;
      }
    };
  }, ms);

/** No more than `bytes` may be stored for the hub's page. The browser asks for it before a page's first write only. */
export const allowBytes = (bytes) => async (page, hub) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(hub.page).origin, quotaSize: bytes });
};

/** Clears all that somebody's browser stores for the page that they have open, as its settings do. */
export async function clearSiteData({ page }) {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.clearDataForOrigin", { origin: new URL(page.url()).origin, storageTypes: "all" });
}

/** Says long lines, which do not compress, until the page says that they are no longer stored. */
export async function fillStorage(person, atMost = 60) {
  const full = async () => /storage takes no more/.test(await person.page.locator("body").innerText());
  for (let n = 0; n < atMost && !(await full()); n++) await person.say(randomBytes(3_000).toString("base64"));
  await person.says("storage takes no more");
}

/** How many entries the page's database holds whose keys have this behind the number of the tab's key. */
export const storedKeys = (person, kind) =>
  person.page.evaluate(async (kind) => {
    const done = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await done(indexedDB.open("tincan"));
    const keys = await done(database.transaction("entries").objectStore("entries").getAllKeys());
    database.close();
    return keys.filter((key) => key.split("/").slice(1).join("/").startsWith(kind)).length;
  }, kind);

/** Runs in a page of the hub without a node: opens the database in another version, and says how long that took. */
export const upgrade = (version) =>
  new Promise((resolve, reject) => {
    const begun = performance.now();
    const open = indexedDB.open("tincan", version);
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      open.result.close();
      resolve(performance.now() - begun);
    };
  });
