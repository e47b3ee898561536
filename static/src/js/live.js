// data-live="15": the element is asked for again every 15 seconds while the tab
// is seen, and at once when the stream named by data-live-stream says something
// changed. It carries hx-get and hx-trigger="live". An answer without data-live
// ends it; one with another number changes the pace. A tab that is not seen holds
// no stream: a browser allows a site only a few connections over all its tabs.
// Once the session is over, as the stream or an answer says, the page keeps what
// is on it, says so, and asks no more.
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

const changed = ({ target }) => {
  for (const [address, stream] of streams) {
    if (stream !== target) continue;
    for (const element of document.querySelectorAll("[data-live]")) if (element.dataset.liveStream === address) ask(element);
  }
};

const over = (why) => {
  silence();
  for (const element of document.querySelectorAll("[data-live]")) delete element.dataset.live;
  document.querySelector(`[data-ended="${why}"]`)?.removeAttribute("hidden");
};

const listen = () => {
  if (document.hidden) return;
  for (const { dataset: { liveStream: address } } of document.querySelectorAll("[data-live][data-live-stream]")) {
    if (streams.has(address)) continue;
    const stream = new EventSource(address);
    stream.addEventListener("changed", changed);
    stream.addEventListener("ended", ({ data }) => over(data));
    streams.set(address, stream);
  }
};

const silence = () => {
  for (const stream of streams.values()) stream.close();
  streams.clear();
};

const watch = () => {
  for (const element of document.querySelectorAll("[data-live]")) {
    if (watched.has(element)) continue;
    watched.add(element);
    tick(element);
  }
  listen();
};

document.addEventListener("htmx:load", watch);
// What the page asks by itself is no sign of somebody being there.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.triggeringEvent?.type === "live") detail.headers.Live = "1";
});
document.addEventListener("ended", ({ detail }) => over(detail.value));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return silence();
  for (const element of document.querySelectorAll("[data-live]")) ask(element);
  listen();
});
addEventListener("pagehide", silence);
addEventListener("pageshow", listen);
