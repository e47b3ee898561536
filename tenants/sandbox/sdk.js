// Stands in for Meta's JavaScript SDK, as far as Embedded Signup uses it.
(() => {
  const home = new URL(document.currentScript.src).origin;
  let app;
  window.FB = {
    init(options) { app = options; },
    login(callback, options) {
      const ask = new URLSearchParams({
        app_id: app.appId, config_id: options.config_id, feature: options.extras?.featureType ?? "", opener: location.origin,
      });
      const popup = window.open(`${home}/dialog?${ask}`, "sandbox-meta", "popup,width=480,height=720");
      let ended = false;
      const end = (code) => {
        ended = true;
        clearInterval(watch);
        removeEventListener("message", hear);
        callback(code ? { status: "connected", authResponse: { code } } : { status: "unknown", authResponse: null });
      };
      const hear = (event) => {
        if (event.origin === home && typeof event.data === "object" && event.data?.sandbox) end(event.data.code);
      };
      // A window that closes says its last word before, but that may come after.
      const watch = setInterval(() => {
        if (popup && !popup.closed) return;
        clearInterval(watch);
        setTimeout(() => { if (!ended) end(""); }, popup ? 1000 : 0);
      }, 250);
      addEventListener("message", hear);
    },
  };
  window.fbAsyncInit?.();
})();
