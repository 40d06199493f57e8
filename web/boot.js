// Starts the page. Trunk would do so by an inline script, which the Content-Security-Policy forbids;
// it names the built files in the preload links, so nothing is fetched twice.
const file = (link) => document.querySelector(link).href;

const { default: init } = await import(file("link[rel=modulepreload]"));
await init({ module_or_path: fetch(file("link[rel=preload][as=fetch]")) });
