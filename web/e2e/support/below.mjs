// A web server in front of a hub that passes `/tincan/…` on as `/…`.

import http from "node:http";

export const BELOW = "/tincan";

/** Answers for the hub's page, below a path only. What it was asked for and could not answer is in `failed`. */
export async function below(stage, hub) {
  const failed = [];
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith(`${BELOW}/`)) {
      failed.push(request.url);
      return response.writeHead(404).end();
    }
    const options = { port: hub.ports.http, path: request.url.slice(BELOW.length), method: request.method };
    const headers = { ...request.headers, host: `127.0.0.1:${hub.ports.http}` };
    const passed = http.request({ ...options, headers }, (answer) => {
      if (answer.statusCode >= 400) failed.push(request.url);
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const end = () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
  const page = `http://127.0.0.1:${server.address().port}${BELOW}/`;
  return stage.attend({ page, failed, tail: () => `  below a path: failed ${failed}` }, end);
}
