// data-walk: J and K move the focus down and up the rows of a list, the first
// stroke to where the reader was last; Enter then opens the row, as any link.
const links = () => [...document.querySelectorAll("[data-walk] > li a.whole")].filter((a) => a.checkVisibility());

document.addEventListener("keydown", (event) => {
  const step = { j: 1, k: -1 }[event.key.toLowerCase()];
  const target = event.target;
  if (!step || document.documentElement.dataset.shortcuts === "off" || !(target instanceof Element)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
  const all = links();
  if (all.length === 0) return;
  event.preventDefault();
  const at = all.findIndex((a) => a.closest("li").contains(document.activeElement));
  all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)].focus();
});
