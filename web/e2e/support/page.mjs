// A person at a page: looks at what it shows, and uses the keyboard.

import assert from "node:assert/strict";
import { PATIENCE_MS, until } from "./wait.mjs";

/** The browser's own report of a connection that nobody took: what a page cannot keep it from writing. */
const NOBODY_LISTENS = /ERR_CONNECTION_(REFUSED|RESET|CLOSED)|WebSocket connection to .* failed/;

/** Stops of the Tab key on a page, at most. */
const MOST_TABS = 120;

const at = (name) => `[data-testid="${name}"]`;

/** Reads every line drawn in the open room. */
const readMessages = (elements) =>
  elements.map((element) => ({
    from: element.dataset.from,
    state: element.dataset.state,
    text: element.querySelector('[data-testid="message-text"]').textContent,
  }));

/** Reads the list of people and hubs. */
const readPeers = (elements) =>
  elements.map((element) => ({
    peer: element.dataset.peer,
    path: element.dataset.path,
    transport: element.dataset.transport,
    hub: element.dataset.hub !== undefined,
    nick: element.querySelector(".nick").textContent,
  }));

export class Person {
  constructor(page, name) {
    Object.assign(this, { page, name, faults: [], mayLoseHub: false });
    page.on("pageerror", (error) => this.faults.push(`thrown: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      if (this.mayLoseHub && NOBODY_LISTENS.test(message.text())) return;
      this.faults.push(`console: ${message.text()} (${message.location().url})`);
    });
  }

  /** Opens the page, waits until it is connected, and takes a nick when it is to have another than it kept. */
  async open(url, nick) {
    await this.page.goto(url);
    await this.online();
    if (nick) await this.takeNick(nick);
  }

  /** Loads the page anew and waits until it is connected. */
  async reload() {
    await this.page.reload();
    await this.online();
  }

  find(name) {
    return this.page.locator(at(name));
  }

  text(name) {
    return this.find(name).first().textContent();
  }

  /** Waits until the status is this word, or with `not` any other. */
  async status(word, { within = PATIENCE_MS, not = false } = {}) {
    const now = async () => ((await this.find("status").count()) ? this.text("status") : "not drawn");
    const told = async () => `${this.name} is ${not ? "not " : ""}${word}; it is ${await now()}; faults: ${this.faults}`;
    await until(told, async () => (await now()).includes(word) !== not, within);
  }

  async online() {
    await this.status("online");
    this.peerId = await this.id();
  }

  /** The whole peer id; its element shows a short form. */
  async id() {
    return this.find("peer-id").getAttribute("data-peer");
  }

  async takeNick(nick) {
    const input = this.find("nick-input").first();
    await input.fill(nick);
    await input.press("Enter");
    this.name = nick;
  }

  async join(room) {
    const input = this.find("room-input").first();
    await input.fill(room);
    await input.press("Enter");
    await until(`${this.name} is in ${room}`, () => this.inRoom(room));
  }

  tab(room) {
    return this.page.locator(`${at("room-tab")}[data-room="${room}"]`);
  }

  async inRoom(room) {
    return (await this.tab(room).count()) === 1;
  }

  openRoom(room) {
    return this.tab(room).click();
  }

  async leave(room) {
    await this.openRoom(room);
    await this.find("room-leave").click();
    await until(`${this.name} has left ${room}`, async () => !(await this.inRoom(room)));
  }

  /** Types a line and presses Enter. Line feeds are typed as Shift+Enter. */
  async type(text) {
    const { page } = this;
    await this.find("message-input").focus();
    for (const [i, part] of text.split("\n").entries()) {
      if (i > 0) await page.keyboard.press("Shift+Enter");
      if (part) await page.keyboard.insertText(part);
    }
    await page.keyboard.press("Enter");
  }

  /** Says a line: types it and sees the input taken. */
  async say(text) {
    await this.type(text);
    const input = this.find("message-input");
    const left = async () => `${this.name} sends ${JSON.stringify(text.slice(0, 60))}; left: ${await this.errors()}`;
    await until(left, async () => (await input.inputValue()) === "");
  }

  /** Waits for a sentence anywhere on the page. */
  says(text, within) {
    const words = () => this.page.locator("body").innerText();
    return until(`${this.name} says ${text}`, async () => (await words()).match(text), within);
  }

  errorSays(pattern) {
    const told = async () => `${this.name} shows the error ${pattern}; it shows ${await this.errors()}`;
    return until(told, async () => pattern.test(await this.errors()));
  }

  async errors() {
    return (await this.find("error").allTextContents()).join(" | ");
  }

  messages() {
    return this.find("message").evaluateAll(readMessages);
  }

  async textsOf(peerId) {
    return (await this.messages()).filter((message) => message.from === peerId).map((message) => message.text);
  }

  /** The drawn line with this text, once it is there. */
  sees(text, within) {
    return until(`${this.name} sees ${text}`, async () => (await this.messages()).find((one) => one.text === text), within);
  }

  peers() {
    return this.find("peer-row").evaluateAll(readPeers);
  }

  /** The row of somebody listed by this nick, once there is one. */
  lists(nick, within) {
    const told = async () => `${this.name} lists ${nick}; it lists ${JSON.stringify(await this.peers())}`;
    return until(told, async () => (await this.peers()).find((row) => row.nick === nick), within);
  }

  /** Somebody is listed with these properties. */
  async listsAs(nick, wanted) {
    const told = async () => `${this.name} lists ${nick} as ${JSON.stringify(wanted)}; it lists ${JSON.stringify(await this.peers())}`;
    const fits = (row) => Object.entries(wanted).every(([name, value]) => row[name] === value);
    await until(told, async () => (await this.peers()).some((row) => row.nick === nick && fits(row)));
  }

  /** Nobody is listed by this nick any more. */
  unlists(nick, within) {
    const gone = async () => !(await this.peers()).some((row) => row.nick === nick);
    return until(`${this.name} no longer lists ${nick}`, gone, within);
  }

  /** Types an address to connect to. */
  async dial(address) {
    const input = this.find("dial-input");
    await input.fill(address);
    await input.press("Enter");
  }

  /** Presses Tab until this is focused, opening what lies on the way and is called so. */
  async tabTo(name, opener) {
    const { keyboard } = this.page;
    const focused = () =>
      this.page.evaluate(() => {
        const { dataset, tagName, textContent, ariaLabel, ariaExpanded, parentElement } = document.activeElement;
        const opens = ariaExpanded === "false" || (tagName === "SUMMARY" && !parentElement.open);
        return { id: dataset.testid, words: `${ariaLabel ?? ""} ${textContent}`, opens };
      });
    for (let i = 0; i < MOST_TABS; i++) {
      await keyboard.press("Tab");
      const { id, words, opens } = await focused();
      if (id === name) return;
      if (opens && opener?.test(words)) await keyboard.press("Enter");
    }
    throw new Error(`${name} cannot be reached by Tab`);
  }

  /** Unfolds the console when it is folded, asks, and reads the answer below the question. */
  async ask(line) {
    const input = this.find("console-input");
    if (!(await input.isVisible())) await this.find("console-toggle").click();
    const lines = this.find("console-output").locator("> *");
    const before = await lines.count();
    await input.fill(line);
    await input.press("Enter");
    const told = async () => `${this.name} answers ${line.slice(0, 80)}; it shows ${(await lines.allTextContents()).slice(-3)}`;
    await until(told, async () => (await lines.count()) === before + 2);
    return lines.last().textContent();
  }

  /** Ends the tab's process, as the system's killer does. */
  async crash() {
    const gone = this.page.waitForEvent("crash");
    const session = await this.page.context().newCDPSession(this.page);
    session.send("Page.crash").catch(() => {}); // it takes its own answer down with it
    await gone;
    this.crashed = true;
  }

  /** Whatever went wrong on the page ends the test. */
  assertClean() {
    assert.deepEqual(this.faults, [], `the console of ${this.name} holds errors`);
  }

  async tail() {
    if (this.crashed || this.page.isClosed()) return `  ${this.name}: closed or crashed`;
    const short = (rows) => JSON.stringify(rows).slice(0, 1500);
    const about = async () => [
      `  ${this.name}: ${await this.text("status")}, errors: ${await this.errors()}, faults: ${short(this.faults)}`,
      `    peers: ${short(await this.peers())}`,
      `    last lines: ${short((await this.messages()).slice(-6).map((one) => ({ ...one, text: one.text.slice(0, 60) })))}`,
    ];
    return about().then((lines) => lines.join("\n"), (error) => `  ${this.name}: cannot be read: ${error.message}`);
  }
}
