// Builds dist/: the style sheet, htmx with its two extensions in one file, and
// our own modules in another, and the chart that few pages load. Run by `npm run build`.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8").trimEnd();
const write = (path, text) => writeFileSync(new URL(path, import.meta.url), text + "\n");

mkdirSync(new URL("dist/", import.meta.url), { recursive: true });

execFileSync(
  "node_modules/.bin/tailwindcss",
  ["--input", "src/app.css", "--output", "dist/app.css", "--minify"],
  { cwd: new URL(".", import.meta.url), stdio: "inherit" },
);

write("dist/htmx.js", [
  "/* htmx 2.0.11 (0BSD), idiomorph 0.8.0 (0BSD), htmx-ext-sse 2.2.4 (0BSD) */",
  read("node_modules/htmx.org/dist/htmx.min.js"),
  read("node_modules/idiomorph/dist/idiomorph-ext.min.js"),
  read("node_modules/htmx-ext-sse/dist/sse.min.js"),
].join(";\n"));

// Each module keeps its names to itself; the order is that of the file names.
const modules = readdirSync(new URL("src/js/", import.meta.url)).filter((name) => name.endsWith(".js")).sort();
write("dist/app.js", ['"use strict";'].concat(
  modules.map((name) => `{ // ${name}\n${read("src/js/" + name)}\n}`),
).join("\n"));

// The chart that is zoomed into, with its style sheet, which no page but its own needs.
write("dist/plot.js", [
  "/* uPlot 1.6.32 (MIT) */",
  read("node_modules/uplot/dist/uPlot.iife.min.js"),
  "{ // plot.js\nconst uPlotStyle = " + JSON.stringify(read("node_modules/uplot/dist/uPlot.min.css")) + ";\n" + read("src/plot/plot.js") + "\n}",
].join("\n"));

// The public page of a business carries this little alone, and so do the pages in front of the product.
for (const name of ["trust.css", "front.css"]) {
  write("dist/" + name, read("src/" + name).replace(/\/\*[^]*?\*\//g, "").replace(/\s*\n\s*/g, ""));
}

write("dist/favicon.svg", read("src/favicon.svg"));
