// Starts the page. Trunk would do so by an inline script, which the Content-Security-Policy forbids;
// it names the built files in the preload links, so nothing is fetched twice.
const file = (link) => document.querySelector(link).href;

try {
  const { default: init } = await import(file("link[rel=modulepreload]"));
  await init({ module_or_path: fetch(file("link[rel=preload][type='application/wasm']")) });
} catch (error) {
  console.error(error);
  const said = document.querySelector("#start p");
  if (said) {
    said.className = "error";
    said.setAttribute("role", "alert");
    said.textContent = "Tincan could not load. Reload the page to try again.";
    const reload = document.createElement("button");
    reload.className = "button";
    reload.textContent = "Reload";
    reload.addEventListener("click", () => location.reload());
    said.after(reload);
  }
}
