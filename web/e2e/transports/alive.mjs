// What is alive in a page of Chromium once its garbage is collected.

/** Once is not enough: what a collection frees may have held something. */
const COLLECTIONS = 3;

async function withSession(page, use) {
  const session = await page.page.context().newCDPSession(page.page);
  try {
    return await use(session);
  } finally {
    await session.detach();
  }
}

async function count(session, prototype) {
  const { result } = await session.send("Runtime.evaluate", { expression: prototype });
  const { objects } = await session.send("Runtime.queryObjects", { prototypeObjectId: result.objectId });
  const { result: length } = await session.send("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration: "function () { return this.length; }",
    returnByValue: true,
  });
  await session.send("Runtime.releaseObject", { objectId: objects.objectId });
  return length.value;
}

/** Numbers of objects, and bytes of the module's memory and of JavaScript's heap. */
export const alive = (page) =>
  withSession(page, async (session) => {
    for (let i = 0; i < COLLECTIONS; i++) await session.send("HeapProfiler.collectGarbage");
    return {
      connections: await count(session, "RTCPeerConnection.prototype"),
      channels: await count(session, "RTCDataChannel.prototype"),
      functions: await count(session, "Function.prototype"),
      wasm: await page.page.evaluate(() => globalThis.trial.memory?.() ?? 0),
      heap: (await session.send("Runtime.getHeapUsage")).usedSize,
    };
  });
