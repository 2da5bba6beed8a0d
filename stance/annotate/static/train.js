"use strict";
(() => {
  const main = document.getElementById("main");
  const button = document.querySelector("[data-start]");
  const log = document.querySelector("[data-log]");
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  async function watch() {
    button.disabled = true;
    log.hidden = false;
    for (;;) {
      let state = null;
      try { state = await (await fetch("/api/train")).json(); } catch { /* the server is away */ }
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
    await fetch("/api/train", { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": main.dataset.csrf }, body: "{}" });
    watch();
  });
  if (main.dataset.running === "yes") watch();
})();
