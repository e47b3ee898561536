// Single keys. An element with data-key="y" is pressed by Y, unless the person
// is writing, holds a modifier, or has switched shortcuts off.
const writing = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (!(event.target instanceof Element)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || writing(event.target)) return;
  // Enter and space belong to the link or button that has the focus.
  if (event.key.length > 1 && event.target.closest("a, button, summary, input, [tabindex]:not(main)")) return;
  const scope = document.querySelector("dialog[open]") ?? document;
  // The page's own key goes before one of the frame around it.
  const keyed = [...scope.querySelectorAll("[data-key]")].sort((a, b) => !!b.closest("main") - !!a.closest("main"));
  for (const element of keyed) {
    if (element.dataset.key.toLowerCase() !== event.key.toLowerCase()) continue;
    // What is folded away is unfolded by its key.
    const folded = element.closest("details:not([open]) > :not(summary)")?.parentElement;
    if (!(folded ?? element).checkVisibility() || element.getAttribute("aria-disabled") === "true") continue;
    if (folded) folded.open = true;
    event.preventDefault();
    if (element.matches("input, textarea, select")) element.focus();
    else element.click();
    return;
  }
});
