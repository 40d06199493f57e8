// Runs inside a page, from before its own scripts: tells what comes onto the screen, the moment it does.

/** Handed to the page as source, so it may use nothing from outside. Calls `window.soakHeard` with what is new. */
export function watch(room) {
  const found = (name) => [...document.querySelectorAll(`[data-testid="${name}"]`)];
  let shown = new Map();
  let status;
  let here = false;

  const rowsOnScreen = () => {
    const rows = new Map();
    const last = new Map();
    for (const element of found("message")) {
      const from = element.dataset.from;
      const text = element.querySelector('[data-testid="message-text"]').textContent;
      const row = { from, text, state: element.dataset.state, above: last.get(from)?.text };
      let copy = 1;
      while (rows.has(`${from} ${text} ${copy}`)) copy++;
      const key = `${from} ${text} ${copy}`;
      // What stands below a new row counts when it was there before.
      if (last.has(from) && shown.has(key)) last.get(from).below = text;
      last.set(from, row);
      rows.set(key, row);
    }
    return rows;
  };

  const look = () => {
    const news = { at: Date.now(), rows: [], sent: [] };
    const rows = rowsOnScreen();
    for (const [key, row] of rows) {
      const before = shown.get(key);
      if (!before) news.rows.push(row);
      if (row.state === "sent" && before?.state !== "sent") news.sent.push(row.text);
    }
    shown = rows;
    const word = found("status")[0]?.textContent;
    if (word !== status) news.status = status = word;
    const now = word === "online" && found("room-tab").some((tab) => tab.dataset.room === room);
    if (now !== here) news.here = here = now;
    if (news.rows.length > 0 || news.sent.length > 0 || "status" in news || "here" in news) window.soakHeard(news);
  };

  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ["data-state", "data-room"],
  });
}
