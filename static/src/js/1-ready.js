// Says that scripts run, so the style sheet shows what needs them.
document.documentElement.classList.add("js");
