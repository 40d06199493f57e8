import { address, scenario } from "./support/stage.mjs";

scenario("20 joins by webrtc-direct alone", async (stage) => {
  const hub = await stage.hub();
  const tom = stage.terminal("tom", "rtc", [hub.tcp]);
  const ada = await stage.somebody("ada");
  const times = [];
  for (let n = 0; n < 5; n++) {
    const url = new URL(address(hub.page, "rtc"));
    url.searchParams.set("hub", hub.webrtc);
    await ada.page.goto("about:blank");
    const start = Date.now();
    await ada.page.goto(url.href);
    await ada.status("online");
    const online = Date.now() - start;
    await ada.lists("tom");
    await ada.say(`hello ${n} over webrtc`);
    await tom.line(new RegExp(`hello ${n} over webrtc`));
    tom.say(`back ${n}`);
    await ada.sees(`back ${n}`);
    times.push([online, Date.now() - start]); console.log(n, online, Date.now() - start);
  }
  console.log(JSON.stringify(times));
});
