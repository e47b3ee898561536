// data-used="address": that a text in it was copied or shared is counted there.
document.addEventListener("click", (event) => {
  const to = event.target.closest("[data-copy], [data-share]")?.closest("[data-used]")?.dataset.used;
  const token = document.querySelector("input[name=_csrf]");
  if (to && token) fetch(to, { method: "POST", body: new URLSearchParams({ _csrf: token.value }), credentials: "same-origin", keepalive: true });
});

// A slash in an empty message opens the macros.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.isComposing || event.target.value !== "" || document.documentElement.dataset.shortcuts === "off") return;
  const macros = event.target.closest?.("#write")?.querySelector("[data-macros]");
  if (!macros) return;
  event.preventDefault();
  macros.click();
});

// What was typed before a macro was chosen stays, and the macro comes after it; another choice takes the place of the first.
let typed = "", put = "";
const message = () => document.querySelector("#write textarea[name=text]");
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== "write") return;
  const text = message()?.value ?? "";
  typed = put && text.endsWith(put) ? text.slice(0, -put.length) : text;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "write" || !message()) return;
  put = message().value;
  if (typed && put && !typed.endsWith("\n")) typed += "\n";
  message().value = typed + put;
});
