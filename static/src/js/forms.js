// A form that writes is sent once: a second press while it is on its way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  const button = event.submitter ?? form.querySelector("[type=submit]");
  if (form.dataset.sent !== undefined || button?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.sent = "";
  button?.setAttribute("aria-busy", "true");
}, true);

const release = (root) => {
  for (const form of root.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of root.querySelectorAll("[aria-busy=true]")) button.removeAttribute("aria-busy");
};
// Back from the next page, and answers that stay on this one.
addEventListener("pageshow", () => release(document));
document.addEventListener("htmx:afterRequest", () => release(document));

// Where the network fails, the page stays with all that was typed, and says so.
document.addEventListener("htmx:sendError", () => {
  const words = document.getElementById("not-sent");
  if (words) document.getElementById("form-errors")?.replaceChildren(words.content.cloneNode(true));
});

// Controls that act at once when changed; without scripts their button is there.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

// Error pages for fragments replace what they are told to, rather than nothing.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400 && event.detail.xhr.getResponseHeader("HX-Retarget")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
