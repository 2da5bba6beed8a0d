// Which target the highlights show, what belongs together, and how long the text is. The page works without it.
"use strict";

const targets = document.getElementById("targets");
if (targets) {
  targets.hidden = false;
  targets.addEventListener("change", (event) => {
    const index = event.target.value;
    for (const mark of document.querySelectorAll("mark")) {
      mark.dataset.tone = index === "" ? mark.dataset.any : mark.dataset["t" + index];
    }
  });
}

const together = (number, on) => {
  document.getElementById("m" + number)?.classList.toggle("near", on);
  document.getElementById("s" + number)?.classList.toggle("near", on);
};
for (const node of document.querySelectorAll("mark, .who, .card")) {
  const number = node.dataset.for ?? node.id.slice(1);
  node.addEventListener("mouseenter", () => together(number, true));
  node.addEventListener("mouseleave", () => together(number, false));
}

const text = document.querySelector("textarea[name=text]");
const count = document.getElementById("count");
if (text && count) {
  const most = Number(count.dataset.max).toLocaleString("en");
  const show = () => {
    // characters as the server counts them, not UTF-16 units
    count.textContent = `${[...text.value].length.toLocaleString("en")} of at most ${most} characters.`;
  };
  text.addEventListener("input", show);
  show();
}

const form = document.getElementById("form");
form?.addEventListener("submit", () => {
  const button = form.querySelector("button.main");
  button.textContent = "Reading …";
  button.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  const button = form?.querySelector("button.main");
  if (button) {
    button.textContent = "Find statements";
    button.removeAttribute("aria-busy");
  }
});
