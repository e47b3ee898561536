// On a phone filters are one line: the one in use is brought into sight.
const showCurrent = () => {
  for (const strip of document.querySelectorAll(".strip")) {
    const current = strip.querySelector("[aria-current]");
    if (current) strip.scrollLeft += current.getBoundingClientRect().left - strip.getBoundingClientRect().left - 16;
  }
};
addEventListener("pageshow", showCurrent);
