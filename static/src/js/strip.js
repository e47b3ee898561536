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
