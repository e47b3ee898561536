"use strict";
{ // 1-ready.js
// Says that scripts run, so the style sheet shows what needs them.
document.documentElement.classList.add("js");
}
{ // answers.js
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
}
{ // bottom.js
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
}
{ // compose.js
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
}
{ // copy.js
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
}
{ // dialog.js
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
}
{ // forms.js
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
}
{ // keys.js
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
}
{ // live.js
// data-live="15": the element is asked for again every 15 seconds while the tab
// is seen, and at once when the stream named by data-live-stream says something
// changed. It carries hx-get and hx-trigger="live". An answer without data-live
// ends it; one with another number changes the pace. A tab that is not seen holds
// no stream: a browser allows a site only a few connections over all its tabs.
// Once the session is over, as the stream or an answer says, the page keeps what
// is on it, says so, and asks no more.
const watched = new WeakSet();
const streams = new Map();

const ask = (element) => {
  if (element.isConnected && element.dataset.live && !document.hidden) htmx.trigger(element, "live");
};

const tick = (element) => setTimeout(() => {
  if (!element.isConnected || !element.dataset.live) return;
  ask(element);
  tick(element);
}, Number(element.dataset.live) * 1000);

const changed = ({ target }) => {
  for (const [address, stream] of streams) {
    if (stream !== target) continue;
    for (const element of document.querySelectorAll("[data-live]")) if (element.dataset.liveStream === address) ask(element);
  }
};

const over = (why) => {
  silence();
  for (const element of document.querySelectorAll("[data-live]")) delete element.dataset.live;
  document.querySelector(`[data-ended="${why}"]`)?.removeAttribute("hidden");
};

const listen = () => {
  if (document.hidden) return;
  for (const { dataset: { liveStream: address } } of document.querySelectorAll("[data-live][data-live-stream]")) {
    if (streams.has(address)) continue;
    const stream = new EventSource(address);
    stream.addEventListener("changed", changed);
    stream.addEventListener("ended", ({ data }) => over(data));
    streams.set(address, stream);
  }
};

const silence = () => {
  for (const stream of streams.values()) stream.close();
  streams.clear();
};

const watch = () => {
  for (const element of document.querySelectorAll("[data-live]")) {
    if (watched.has(element)) continue;
    watched.add(element);
    tick(element);
  }
  listen();
};

document.addEventListener("htmx:load", watch);
// What the page asks by itself is no sign of somebody being there.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.triggeringEvent?.type === "live") detail.headers.Live = "1";
});
document.addEventListener("ended", ({ detail }) => over(detail.value));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return silence();
  for (const element of document.querySelectorAll("[data-live]")) ask(element);
  listen();
});
addEventListener("pagehide", silence);
addEventListener("pageshow", listen);
}
{ // passkey.js
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
}
{ // pick.js
// Rows to be decided together: X ticks the row that has the focus, else the
// first; one box ticks all on the page; the bar says how many are ticked.
const picks = () => [...document.querySelectorAll("[data-pick]")];

const count = () => {
  const said = document.querySelector("[data-picked]");
  if (said) said.textContent = picks().filter((box) => box.checked).length;
};

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) for (const box of picks()) box.checked = event.target.checked;
  if (event.target.matches("[data-pick], [data-pick-all]")) count();
});
document.addEventListener("htmx:load", count);
addEventListener("pageshow", count);

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key.toLowerCase() !== "x" || document.documentElement.dataset.shortcuts === "off" || !(target instanceof Element)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
  const box = target.closest("li")?.querySelector("[data-pick]") ?? picks()[0];
  if (!box) return;
  event.preventDefault();
  box.click();
  box.focus();
});
}
{ // plot.js
// A chart to zoom into is drawn when it is first opened: the program for it is
// as heavy as all others together.
const plotted = new WeakSet();

const load = (src) => new Promise((done, failed) => {
  const script = document.createElement("script");
  script.src = src;
  script.onload = done;
  script.onerror = failed;
  document.head.append(script);
});

document.addEventListener("toggle", async ({ target }) => {
  if (!target.dataset?.plot || !target.open || plotted.has(target)) return;
  plotted.add(target);
  const failed = target.querySelector("[data-plot-failed]");
  failed.hidden = true;
  try {
    if (!window.plotDays) await load(target.dataset.plotScript);
    await window.plotDays(target);
  } catch {
    plotted.delete(target);
    failed.hidden = false;
  }
}, true);
}
{ // print.js
// A button that prints the page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
}
{ // signup.js
// Meta's own window for connecting a number. Its script is loaded on this one page
// only. What the window says is believed from its own origin, put into the form and
// sent at once: the code in it lives 30 seconds and is good once.
const form = document.querySelector("form[data-signup]");

// The words of the window, and the fields they go into.
const told = {
  waba_id: "waba_id", phone_number_id: "phone_number_id", business_id: "business_id",
  current_step: "step", error_message: "error_message", error_code: "error_code", session_id: "session_id",
};
// How long the words may come after the code.
const patience = 1500;

if (form) {
  const { signup: address, origins, app, config, version } = form.dataset;
  const allowed = origins.split(" ");
  const button = form.querySelector("[data-signup-open]");
  const way = form.elements.way.value;
  let open = false;
  let finish = null;

  const put = (name, value) => {
    if (typeof value === "string" || typeof value === "number") form.elements[name].value = String(value).slice(0, 4096);
  };
  const say = (state) => {
    form.dataset.state = state;
    for (const words of form.querySelectorAll("[data-signup-says]")) words.hidden = words.dataset.signupSays !== state;
    button.setAttribute("aria-disabled", String(state !== "ready"));
    button.setAttribute("aria-busy", String(state === "sending"));
  };
  const send = () => {
    if (form.dataset.state === "sending") return;
    say("sending");
    form.requestSubmit();
  };

  addEventListener("message", ({ origin, data }) => {
    if (!open || !allowed.includes(origin) || typeof data !== "string") return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message?.type !== "WA_EMBEDDED_SIGNUP") return;
    put("event", message.event);
    for (const [word, field] of Object.entries(told)) put(field, message.data?.[word]);
    finish?.();
  });

  button.addEventListener("click", () => {
    if (form.dataset.state !== "ready") return;
    open = true;
    say("open");
    const extras = way === "keep" ? { setup: {}, featureType: "whatsapp_business_app_onboarding", sessionInfoVersion: "3" } : { setup: {}, sessionInfoVersion: "3" };
    FB.login((answer) => {
      put("code", answer?.authResponse?.code);
      if (form.elements.event.value) return send();
      finish = send;
      setTimeout(send, form.elements.code.value ? patience : 0);
    }, { config_id: config, response_type: "code", override_default_response_type: true, extras });
  });

  window.fbAsyncInit = () => {
    FB.init({ appId: app, version, xfbml: false });
    say("ready");
  };
  const script = document.createElement("script");
  script.src = address;
  script.addEventListener("error", () => say("blocked"));
  document.head.append(script);

  // Back from the next page the window is to be opened anew.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
}
{ // strip.js
// On a phone filters are one line: the one in use is brought into sight, and so is the one that gets the focus, of which a browser leaves
// hidden what does not fit.
const showCurrent = () => {
  for (const strip of document.querySelectorAll(".strip")) {
    const current = strip.querySelector("[aria-current]");
    if (current) strip.scrollLeft += current.getBoundingClientRect().left - strip.getBoundingClientRect().left - 16;
  }
};
addEventListener("pageshow", showCurrent);
document.addEventListener("focusin", (event) => {
  if (event.target.closest(".strip")) event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
});
}
{ // theme.js
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
}
{ // toast.js
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
}
{ // walk.js
// data-walk: J and K move the focus down and up the rows of a list, the first
// stroke to where the reader was last; Enter then opens the row, as any link.
const links = () => [...document.querySelectorAll("[data-walk] > li a.whole")].filter((a) => a.checkVisibility());

document.addEventListener("keydown", (event) => {
  const step = { j: 1, k: -1 }[event.key.toLowerCase()];
  const target = event.target;
  if (!step || document.documentElement.dataset.shortcuts === "off" || !(target instanceof Element)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
  const all = links();
  if (all.length === 0) return;
  event.preventDefault();
  const at = all.findIndex((a) => a.closest("li").contains(document.activeElement));
  all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)].focus();
});
}
