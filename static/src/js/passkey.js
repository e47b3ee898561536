// data-passkey="create" or "get": the form asks the device for a passkey, by what data-options says, and is sent with its answer.
const raw = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const askDevice = async (kind, publicKey) => {
  publicKey.challenge = raw(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = raw(publicKey.user.id);
  for (const key of [...(publicKey.allowCredentials ?? []), ...(publicKey.excludeCredentials ?? [])]) key.id = raw(key.id);
  const made = await navigator.credentials[kind]({ publicKey });
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[part]) response[part] = text(made.response[part]);
  }
  if (kind === "create") response.transports = made.response.getTransports?.() ?? [];
  return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: made.getClientExtensionResults() });
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-passkey]") || form.elements.passkey.value) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const failed = form.querySelector("[data-passkey-failed]");
  failed.hidden = true;
  try {
    form.elements.passkey.value = await askDevice(form.dataset.passkey, JSON.parse(form.dataset.options));
  } catch {
    failed.hidden = false;
  }
  // forms.js holds it for sent already.
  delete form.dataset.sent;
  event.submitter?.removeAttribute("aria-busy");
  if (form.elements.passkey.value) form.requestSubmit(event.submitter);
}, true);
