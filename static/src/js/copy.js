// data-copy="text": puts the text on the clipboard and says so for two seconds.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // No clipboard on plain http: select the text, so that the person's own copy key works.
    const text = button.closest(".ident, .copyline")?.querySelector("bdi, code");
    if (text) getSelection().selectAllChildren(text);
    return;
  }
  button.dataset.done = "";
  const said = button.getAttribute("aria-label");
  button.setAttribute("aria-label", button.dataset.copied);
  setTimeout(() => {
    delete button.dataset.done;
    button.setAttribute("aria-label", said);
  }, 2000);
});
