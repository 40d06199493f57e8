// A program that a test runs: one process, read line by line, ended with the test's own.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PATIENCE_MS, until } from "./wait.mjs";

/** Flags that the outside sets for `tincan` must not leak into a test. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TINCAN_")));

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** A running program. */
export class Process {
  constructor(name, program, words) {
    this.name = name;
    this.out = [];
    this.err = [];
    this.child = spawn(program, words, { env: ENVIRONMENT, stdio: "pipe" });
    running.add(this.child);
    this.child.stdin.on("error", () => {}); // it may have ended; what it did is judged elsewhere
    for (const stream of ["out", "err"]) {
      createInterface({ input: this.child[`std${stream}`] }).on("line", (line) => {
        this[stream].push(line);
        this.onLine?.(line, stream);
      });
    }
    this.exit = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        running.delete(this.child);
        this.ended = { code, signal };
        resolve(this.ended);
      });
    });
  }

  /** The first line on standard output or error that fits, from the `after`th on. */
  line(pattern, { stream = "out", after = 0, within = PATIENCE_MS } = {}) {
    const what = () => `${this.name} prints ${pattern}; it printed:\n${this.tail()}`;
    return until(what, () => this[stream].slice(after).find((line) => pattern.test(line)), within);
  }

  type(line) {
    this.child.stdin.write(`${line}\n`);
  }

  /** Ends standard input, as Ctrl-D does. */
  endInput() {
    this.child.stdin.end();
    return this.exit;
  }

  kill(signal = "SIGKILL") {
    this.child.kill(signal);
    return this.exit;
  }

  tail() {
    const last = (lines) => lines.slice(-25).map((line) => `    ${line.slice(0, 300)}`);
    return [`  ${this.name} out:`, ...last(this.out), `  ${this.name} err:`, ...last(this.err)].join("\n");
  }
}
