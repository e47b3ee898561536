// data-bottom: a conversation is opened at its end, and stays there while new
// messages come unless the reader has gone up to read.
const end = () => document.querySelector("[data-bottom]");
const near = (list) => list.getBoundingClientRect().bottom < innerHeight + 160;
let atEnd = true;

const down = () => {
  // With the place to write in sight, where there is one.
  const last = document.getElementById("write") ?? end()?.lastElementChild;
  last?.scrollIntoView({ block: "end", behavior: "instant" });
};

if (end() && !location.hash && !document.querySelector("[autofocus]")) down();
document.addEventListener("htmx:beforeSwap", (event) => {
  const list = end();
  if (list && event.detail.target === list) atEnd = near(list);
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.matches?.("[data-bottom]") && atEnd) down();
});
