"use strict";
(() => {
  const main = document.getElementById("main");
  const button = document.querySelector("[data-start]");
  const log = document.querySelector("[data-log]");
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  // What the server answers, or null while it is away.
  async function ask(request) {
    try { return await (await fetch("/api/train", request)).json(); } catch { return null; }
  }
  async function watch() {
    button.disabled = true;
    log.hidden = false;
    for (;;) {
      const state = await ask();
      if (state && state.error) { log.textContent = `The server answers: ${state.error}. Load the page again.`; break; }
      if (state) {
        log.textContent = state.lines.join("\n") || "Starting …";
        if (!state.running) {
          if (state.code === 0) { location.reload(); return; }
          if (state.code !== null) log.textContent += `\nThe run ended with code ${state.code}.`;
          break;
        }
      }
      await pause(1000);
    }
    button.disabled = false;
  }
  button.addEventListener("click", async () => {
    const begun = await ask({ method: "POST", headers: { "content-type": "application/json", "x-csrf-token": main.dataset.csrf }, body: "{}" });
    if (begun && begun.started !== undefined) { watch(); return; }
    log.hidden = false;
    log.textContent = `Not started: ${begun ? `${begun.error}. Load the page again.` : "the server does not answer."}`;
  });
  if (main.dataset.running === "yes") watch();
})();
