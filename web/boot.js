// Starts the page, and says so when it cannot start or go on. Trunk would start it by an inline script, which the
// Content-Security-Policy forbids; it names the built files in the preload links, so nothing is fetched twice.
const file = (link) => document.querySelector(link).href;

function reloadButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = "Reload";
  button.addEventListener("click", () => location.reload());
  return button;
}

/** In the first paint, which is there until the module has drawn the page. */
function cannotLoad() {
  const said = document.querySelector("#start p");
  if (!said) return stopped();
  document.querySelector("#start .late")?.remove();
  said.className = "error";
  said.setAttribute("role", "alert");
  said.dataset.testid = "error";
  said.textContent = "Tincan could not load. Reload the page to try again.";
  said.after(reloadButton());
}

/** Over the page: the module has ended, and nothing that it drew works any more. */
function stopped() {
  if (document.querySelector(".stopped")) return;
  const note = document.createElement("div");
  note.className = "stopped";
  note.dataset.testid = "stopped";
  note.setAttribute("role", "alert");
  note.append("Tincan has stopped, because of an error in it. Reload the page to go on.", reloadButton());
  document.body.prepend(note);
}

/** A trap ends the module: a panic, memory that ran out, or a stack that did. */
const isTrap = (error) =>
  error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /wasm/.test(error.stack));
addEventListener("error", ({ error }) => isTrap(error) && stopped());
addEventListener("unhandledrejection", ({ reason }) => isTrap(reason) && stopped());

/** Who the hub is, asked while the module comes; a page whose address names other hubs does not ask. */
if (!new URLSearchParams(location.search).getAll("hub").some(Boolean)) {
  const ahead = document.createElement("link");
  Object.assign(ahead, { rel: "preload", as: "fetch", crossOrigin: "anonymous", href: "api/v1/node" });
  document.head.append(ahead);
}

try {
  const { default: init } = await import(file("link[rel=modulepreload]"));
  await init({ module_or_path: fetch(file("link[rel=preload][type='application/wasm']")) });
} catch (error) {
  console.error(error);
  cannotLoad();
}
