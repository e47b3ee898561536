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
