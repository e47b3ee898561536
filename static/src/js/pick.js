// Rows to be decided together: X ticks the row that has the focus, else the
// first; one box ticks all on the page; the bar says how many are ticked.
const picks = () => [...document.querySelectorAll("[data-pick]")];

const count = () => {
  const said = document.querySelector("[data-picked]");
  if (said) said.textContent = picks().filter((box) => box.checked).length;
};

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) for (const box of picks()) box.checked = event.target.checked;
  if (event.target.matches("[data-pick], [data-pick-all]")) count();
});
document.addEventListener("htmx:load", count);
addEventListener("pageshow", count);

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key.toLowerCase() !== "x" || document.documentElement.dataset.shortcuts === "off" || !(target instanceof Element)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
  const box = target.closest("li")?.querySelector("[data-pick]") ?? picks()[0];
  if (!box) return;
  event.preventDefault();
  box.click();
  box.focus();
});
