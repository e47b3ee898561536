// data-send: Ctrl or Cmd with Enter sends what is being written.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const form = event.target.closest?.("form[data-send]");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
});

// data-fill="0": what is typed stands at once in the preview's data-slot="0".
const empty = new WeakMap();
document.addEventListener("input", (event) => {
  const slot = event.target.dataset?.fill;
  if (slot === undefined) return;
  for (const place of document.querySelectorAll(`[data-slot="${CSS.escape(slot)}"]`)) {
    if (!empty.has(place)) empty.set(place, place.textContent);
    place.textContent = event.target.value || empty.get(place);
  }
});
