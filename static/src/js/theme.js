// The theme changes at once; the form keeps the choice for the next page.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-theme-form]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  const root = document.documentElement;
  const dark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "pehchan-dark" : "")) === "pehchan-dark";
  root.dataset.theme = dark ? "pehchan" : "pehchan-dark";
  const body = new URLSearchParams(new FormData(form));
  body.set("theme", dark ? "light" : "dark");
  fetch(form.action, { method: "POST", body, redirect: "manual", credentials: "same-origin", keepalive: true });
  delete form.dataset.sent;
  form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
});
