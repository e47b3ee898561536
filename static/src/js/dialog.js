// Menus close on a click elsewhere and on Escape; a dialog opened as a popover
// becomes modal, so that focus stays inside.
const menus = () => document.querySelectorAll("details.drop[open]");

document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;

  const opener = event.target.closest("[popovertarget]");
  const dialog = opener && document.getElementById(opener.getAttribute("popovertarget"));
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    if (dialog.open) return dialog.close();
    dialog.removeAttribute("popover");
    dialog.showModal();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// data-confirm-word: the button stays off until the word is typed.
document.addEventListener("input", (event) => {
  const word = event.target.dataset?.confirmWord;
  if (!word) return;
  const button = event.target.form.querySelector("[type=submit]");
  button.setAttribute("aria-disabled", String(event.target.value.trim().toLowerCase() !== word.toLowerCase()));
});
