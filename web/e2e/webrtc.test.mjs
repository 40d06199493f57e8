// The page reaches its hub by WebRTC-direct alone, as often as it is opened, and where its WebSocket does not answer.

import { address, scenario } from "./support/stage.mjs";
import { freePorts } from "./support/wait.mjs";

const VISITS = 5;

scenario("a page joins by WebRTC-direct alone, and again after every reload", async (stage) => {
  const hub = await stage.hub();
  const tom = stage.terminal("tom", "garden", [hub.tcp]);
  const ada = await stage.somebody("ada");
  const link = new URL(address(hub.page, "garden"));
  link.searchParams.set("hub", hub.webrtc);
  for (let visit = 0; visit < VISITS; visit++) {
    await ada.page.goto("about:blank");
    await ada.page.goto(link.href);
    await ada.status("online");
    await ada.lists("tom");
    await ada.say(`hello ${visit}`);
    await tom.line(new RegExp(`hello ${visit}$`));
    tom.say(`welcome ${visit}`);
    await ada.sees(`welcome ${visit}`);
  }
});

scenario("a hub whose WebSocket does not answer is reached by WebRTC", async (stage) => {
  const hub = await stage.hub();
  const [nobodys] = await freePorts(1);
  const ada = await stage.somebody("ada");
  // The browser tells of the WebSocket on its console.
  ada.mayLoseHub = true;
  const link = new URL(address(hub.page, "garden"));
  link.searchParams.append("hub", hub.ws.replace(`/tcp/${hub.ports.ws}/`, `/tcp/${nobodys}/`));
  link.searchParams.append("hub", hub.webrtc);
  await ada.page.goto(link.href);
  await ada.status("online");
  await hub.process.line(/connected peer=\w+ transport="webrtc-direct"/, { stream: "err" });
});
