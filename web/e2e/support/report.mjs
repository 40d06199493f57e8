// Figures as a document shows them.

import fs from "node:fs/promises";
import os from "node:os";

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** `median (least–most)`, whole. */
export const spread = (values) => {
  const [least, most] = [Math.min(...values), Math.max(...values)].map(Math.round);
  return `${Math.round(median(values))} (${least}–${most})`;
};

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i ? "---:" : "---"));
  return [head, rule, ...rows].map(line).join("\n");
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`, or adds both at the end. */
export async function replaceSection(file, name, text, heading) {
  const before = await fs.readFile(file, "utf8").catch((error) => (error.code === "ENOENT" ? heading : Promise.reject(error)));
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const section = `${begin}\n${text.trim()}\n${end}`;
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 !== to < 0 || to < from) throw new Error(`${file} has one mark of ${name} without the other`);
  const after = from < 0 ? `${before.trimEnd()}\n\n${section}\n` : before.slice(0, from) + section + before.slice(to + end.length);
  await fs.writeFile(file, after);
}

/** What a figure depends on, in general terms. */
export const machine = () => `${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()}`;
