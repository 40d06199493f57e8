// Modules as a page takes them.

import { build } from "esbuild";
import { fileURLToPath } from "node:url";

/** The module at a URL with everything it needs, in one script. */
export async function bundle(url) {
  const built = await build({
    entryPoints: [fileURLToPath(url)],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  });
  return built.outputFiles[0].contents;
}
