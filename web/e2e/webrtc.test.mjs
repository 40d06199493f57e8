// The page reaches its hub by WebRTC-direct alone, as often as it is opened.

import { address, scenario } from "./support/stage.mjs";

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
