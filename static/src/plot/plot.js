// Draws the figures of a CSV file, a row a day, as lines that can be zoomed
// into: drag over a stretch with the mouse, and press the button for the whole
// again. It is loaded when the first such chart is opened, never before.
const sheet = new CSSStyleSheet();
sheet.replaceSync(uPlotStyle);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// rows reads a CSV file without line breaks in its fields: the header, then figures.
const rows = (text) => text.replace(/^\uFEFF/, "").trim().split(/\r?\n/).map((line) => line.split(","));

const draw = (box, label, text) => {
  const [head, ...days] = rows(text);
  const lang = document.documentElement.lang;
  const day = new Intl.DateTimeFormat(lang + "-u-nu-latn", { day: "numeric", month: "short", timeZone: "UTC" });
  const share = (n, whole) => whole > 0 ? 100 * n / whole : null;
  const percent = (_, v) => v == null ? "–" : Math.round(v) + " %";
  const data = [days.map((d) => Date.parse(d[0]) / 1000), ...[2, 3, 4].map((i) => days.map((d) => share(Number(d[i]), Number(d[1]))))];
  const grid = { stroke: colour("--color-base-300"), width: 1 };
  const axis = { stroke: colour("--soft"), grid, ticks: grid };
  const line = (i, name) => ({ label: head[i], stroke: colour(name), width: 2, value: percent });
  const plot = new uPlot({
    width: box.clientWidth,
    height: 260,
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "UTC"),
    cursor: { drag: { x: true, y: false } },
    scales: { y: { range: [0, 100] } },
    axes: [
      { ...axis, values: (_, at) => at.map((s) => day.format(s * 1000)) },
      { ...axis, values: (_, at) => at.map((v) => v + " %"), size: 56 },
    ],
    series: [
      { label, value: (_, s) => s == null ? "–" : day.format(s * 1000) },
      line(2, "--color-primary"), line(3, "--color-accent"), line(4, "--color-warning"),
    ],
  }, data, box);
  new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: 260 })).observe(box);

  return () => plot.setScale("x", { min: data[0][0], max: data[0].at(-1) });
};

window.plotDays = async (details) => {
  const box = details.querySelector("[data-plot-box]");
  const answer = await fetch(details.dataset.plot);
  if (!answer.ok) throw new Error("figures: " + answer.status);
  const whole = draw(box, details.dataset.plotDay, await answer.text());
  const button = details.querySelector("[data-plot-whole]");
  button.hidden = false;
  button.addEventListener("click", whole);
};
