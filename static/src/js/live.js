// data-live="15": the element is asked for again every 15 seconds while the tab
// is seen, and at once when the stream named by data-live-stream says something
// changed. It carries hx-get and hx-trigger="live". An answer without data-live
// ends it; one with another number changes the pace.
const watched = new WeakSet();
const streams = new Map();

const ask = (element) => {
  if (element.isConnected && element.dataset.live && !document.hidden) htmx.trigger(element, "live");
};

const tick = (element) => setTimeout(() => {
  if (!element.isConnected || !element.dataset.live) return;
  ask(element);
  tick(element);
}, Number(element.dataset.live) * 1000);

const watch = () => {
  for (const element of document.querySelectorAll("[data-live]")) {
    if (watched.has(element)) continue;
    watched.add(element);
    tick(element);
    const address = element.dataset.liveStream;
    if (!address) continue;
    if (!streams.has(address)) streams.set(address, new EventSource(address));
    streams.get(address).addEventListener("changed", () => ask(element));
  }
};

document.addEventListener("htmx:load", watch);
document.addEventListener("visibilitychange", () => {
  for (const element of document.querySelectorAll("[data-live]")) ask(element);
});
addEventListener("pagehide", () => {
  for (const stream of streams.values()) stream.close();
  streams.clear();
});
