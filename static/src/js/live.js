// data-live="15": the element is asked for again every 15 seconds while the tab
// is seen, and at once when the stream named by data-live-stream says something
// changed. It carries hx-get and hx-trigger="live"; when the answer has no
// data-live any more, it stops by itself.
const streams = new Map();

const watch = () => {
  for (const element of document.querySelectorAll("[data-live]:not([data-live-on])")) {
    element.dataset.liveOn = "";
    const ask = () => {
      if (element.isConnected && element.dataset.live && !document.hidden) htmx.trigger(element, "live");
    };
    const timer = setInterval(() => {
      if (!element.isConnected || !element.dataset.live) clearInterval(timer);
      else ask();
    }, Number(element.dataset.live) * 1000);
    const address = element.dataset.liveStream;
    if (!address || !window.EventSource) continue;
    if (!streams.has(address)) streams.set(address, new EventSource(address));
    streams.get(address).addEventListener("changed", ask);
  }
};

document.addEventListener("htmx:load", watch);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) for (const element of document.querySelectorAll("[data-live]")) htmx.trigger(element, "live");
});
addEventListener("pagehide", () => {
  for (const stream of streams.values()) stream.close();
  streams.clear();
});
