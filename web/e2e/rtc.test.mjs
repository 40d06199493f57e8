import { address, scenario } from "./support/stage.mjs";

scenario("a page joins by webrtc-direct alone", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  ada.page.on("console", (message) => console.log("console:", message.text()));
  const direct = hub.addresses?.find((a) => a.includes("webrtc-direct")) ?? hub.webrtc;
  console.log(direct);
  const url = new URL(address(hub.page, "rtc"));
  url.searchParams.set("hub", direct);
  await ada.page.goto(url.href);
  await ada.status("online");
  const tom = stage.terminal("tom", "rtc", [hub.tcp]);
  await ada.lists("tom");
  await ada.say("hello over webrtc");
  await tom.line(/hello over webrtc/);
});
