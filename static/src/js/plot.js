// A chart to zoom into is drawn when it is first opened: the program for it is
// as heavy as all others together.
const plotted = new WeakSet();

const load = (src) => new Promise((done, failed) => {
  const script = document.createElement("script");
  script.src = src;
  script.onload = done;
  script.onerror = failed;
  document.head.append(script);
});

document.addEventListener("toggle", async ({ target }) => {
  if (!target.dataset?.plot || !target.open || plotted.has(target)) return;
  plotted.add(target);
  const failed = target.querySelector("[data-plot-failed]");
  failed.hidden = true;
  try {
    if (!window.plotDays) await load(target.dataset.plotScript);
    await window.plotDays(target);
  } catch {
    plotted.delete(target);
    failed.hidden = false;
  }
}, true);
