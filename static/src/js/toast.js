// A toast leaves after ten seconds in which nobody points at it or is inside it.
const start = (toast) => {
  toast.dataset.timed = "";
  let left = 10_000, since = 0, timer = 0;
  const run = () => {
    since = Date.now();
    timer = setTimeout(() => toast.remove(), left);
  };
  const pause = () => {
    clearTimeout(timer);
    left -= Date.now() - since;
  };
  toast.addEventListener("pointerenter", pause);
  toast.addEventListener("pointerleave", run);
  toast.addEventListener("focusin", pause);
  toast.addEventListener("focusout", run);
  run();
};

const find = () => {
  for (const toast of document.querySelectorAll(".toast:not([data-timed])")) start(toast);
};
find();
document.addEventListener("htmx:load", find);

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast")?.remove();
});
