"use strict";
// Every change goes through one outbox, kept in this browser until the server has saved or refused it: what was pressed
// while the server was away, or asked again who is labelling, is sent later, once and in order.
(() => {
  const main = document.getElementById("main");
  const { item, csrf, box, back } = main.dataset;
  const adjudicate = main.dataset.adjudicate === "yes";
  const key = `stance-outbox:${box}`;
  const says = document.querySelector("[data-says]");
  const rows = [...document.querySelectorAll(".target")];
  const note = document.querySelector("textarea[name=note]");
  let version = Number(main.dataset.version || 0);
  let active = Math.max(0, rows.findIndex((row) => !chosen(row)));
  const refused = [400, 409, 413, 415, 422]; // of no use to send again; other answers are about the session or the way there
  let looked = 0;
  let since = document.hidden ? null : performance.now();
  let sending = false;
  let leaving = false;
  let unkept = null; // the outbox itself, where this browser keeps nothing (its storage is full or denied)
  const leftover = outbox().length > 0; // of a tab that was closed while the server was away

  function chosen(row) { return row.querySelector("input:checked"); }
  function radios(row) { return [...row.querySelectorAll("input[type=radio]")]; }
  function say(text, trouble = false) { says.textContent = text; says.classList.toggle("trouble", trouble); }
  function outbox() { if (unkept) return unkept; try { return JSON.parse(localStorage.getItem(key)) || []; } catch { return []; } }
  function keep(changes) { try { localStorage.setItem(key, JSON.stringify(changes)); unkept = null; } catch { unkept = changes; } }
  function safe(when) { return unkept ? `This browser keeps nothing: leave this page open; it is sent ${when}` : `Nothing is lost: it is sent ${when}`; }
  function name() { return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join(""); }
  function own(body) { return body.item === item && (body.adjudicate === true) === adjudicate; }
  function lost(problem) {
    const who = box.slice(box.indexOf(":") + 1);
    say(`Not saved: ${problem}. ${safe(`as soon as ${who} `)}`, true);
    const link = document.createElement("a");
    link.href = "/";
    if (unkept) link.target = "_blank"; // this page holds what is not sent yet
    link.textContent = "enters again.";
    says.append(link);
  }
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) flush();
    if (document.hidden && since !== null) { looked += performance.now() - since; since = null; }
    if (!document.hidden) since = performance.now();
  });
  function spent() {
    const now = performance.now();
    const total = looked + (since === null ? 0 : now - since);
    looked = 0;
    since = since === null ? null : now;
    return Math.round(total);
  }

  function push(change) {
    if (leaving && change.kind !== "note") return;
    if (change.kind === "done" || change.kind === "skip" || change.kind === "undo") leaving = true;
    const body = { token: name() };
    if (adjudicate) body.adjudicate = true;
    if (change.kind !== "undo") Object.assign(body, change, { item, back, millis: spent() });
    keep([...outbox(), { path: change.kind === "undo" ? "/api/undo" : "/api/change", body }]);
    send();
  }

  async function send() {
    if (sending) return;
    sending = true;
    let after = null;
    for (let queue = outbox(); queue.length; queue = outbox()) {
      const { path, body } = queue[0];
      const sent = path === "/api/change" ? { ...body, base: own(body) ? version : null } : body;
      let answer = null;
      try {
        answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf }, body: JSON.stringify(sent) });
      } catch { /* the server is away */ }
      if (answer === null || answer.status >= 500) {
        say(`The server does not answer. ${safe("again as soon as it is back.")}`, true);
        await pause(700);
        continue;
      }
      const found = await answer.json().catch(() => null);
      if (answer.ok ? found === null : !refused.includes(answer.status)) {
        lost(found ? found.error : `the server answers ${answer.status}`);
        leaving = false;
        sending = false;
        return;
      }
      if (answer.status === 409) {
        leaving = true; // what came after was pressed on labels that are no more; a note is still one
        keep(outbox().filter((change) => change.body.kind === "note" || (change.body.item && !own(change.body))));
        say("This statement was changed in another tab; showing it as it is now. What was pressed here is not kept.", true);
        await pause(1800);
        location.reload();
        return;
      }
      keep(outbox().filter((change) => change.body.token !== body.token));
      if (!answer.ok) {
        leaving = false;
        after = null;
        say(found?.error || `The server refused this (${answer.status}).`, true);
        continue;
      }
      if (path === "/api/undo") {
        if (found.item === null) { leaving = false; say("Nothing left to undo."); continue; }
        if (found.item === item) version = found.state.version; // for a note that follows
        const page = adjudicate ? "/adjudicate" : "/label";
        const again = found.item === item || found.looked; // of another statement nothing was said where it was labelled
        after = `${page}?item=${encodeURIComponent(found.item)}${back && again ? `&from=${back}` : ""}`;
      } else if (own(body)) {
        version = found.version;
        say("Saved.");
        if (body.kind === "done" || body.kind === "skip") after = back ? `/${back}` : "/label";
      }
    }
    sending = false;
    if (after !== null) location.assign(after);
    else if (leftover && !leaving) location.reload();
  }

  function mark(index) {
    if (!rows.length) return;
    active = (index + rows.length) % rows.length;
    rows.forEach((row, i) => row.classList.toggle("active", i === active));
    rows[active].scrollIntoView({ block: "nearest" });
  }
  function onward() {
    const order = rows.map((_, i) => (active + 1 + i) % rows.length);
    const next = order.find((i) => !chosen(rows[i]));
    mark(next === undefined ? Math.min(active + 1, rows.length - 1) : next);
  }
  function choose(row, index, go) {
    const radio = radios(row)[index];
    if (!radio) return;
    radio.checked = true;
    row.classList.remove("missing");
    push({ kind: "label", labels: { [row.dataset.target]: radio.value } });
    if (go) onward();
  }
  function fill(value) {
    const labels = {};
    for (const row of rows) {
      const label = value(row);
      const radio = chosen(row) ? null : radios(row).find((r) => r.value === label);
      if (radio) { radio.checked = true; row.classList.remove("missing"); labels[row.dataset.target] = radio.value; }
    }
    if (Object.keys(labels).length) push({ kind: "label", labels });
  }
  function flush() { if (note && note.value !== note.defaultValue) { note.defaultValue = note.value; push({ kind: "note", text: note.value }); } }

  const acts = {
    done() {
      const missing = rows.filter((row) => !chosen(row));
      rows.forEach((row) => row.classList.toggle("missing", missing.includes(row)));
      if (missing.length) {
        mark(rows.indexOf(missing[0]));
        say(`Still to label: ${missing.map((row) => row.dataset.target).join(", ")}.`, true);
        return;
      }
      flush();
      const agreed = rows.filter((row) => "agreed" in chosen(row).dataset); // shown as decided, but not sent yet
      push({ kind: "done", labels: Object.fromEntries(agreed.map((row) => [row.dataset.target, chosen(row).value])) });
    },
    rest() { fill((row) => radios(row).at(-1).value); },
    accept() { fill((row) => row.dataset.suggested); },
    undo() { flush(); push({ kind: "undo" }); },
    skip() { flush(); push({ kind: "skip" }); },
    flag() {
      const button = document.querySelector("[data-act=flag]");
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      push({ kind: on ? "flag" : "unflag" });
    },
    note() { note.focus(); },
  };
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => acts[button.dataset.act]());
  rows.forEach((row, i) => {
    row.addEventListener("change", (event) => { mark(i); choose(row, radios(row).indexOf(event.target), false); });
    row.addEventListener("focusin", () => mark(i));
  });
  if (note) {
    let wait;
    note.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(flush, 1000); });
    note.addEventListener("change", flush);
    note.addEventListener("keydown", (event) => { if (event.key === "Escape") { flush(); note.blur(); event.stopPropagation(); } });
  }

  addEventListener("pagehide", flush);
  addEventListener("beforeunload", (event) => { if (unkept?.length) event.preventDefault(); });

  const letters = { u: "undo", s: "skip", f: "flag", a: "accept" };
  function toggle(selector) { const details = document.querySelector(selector); if (details) details.open = !details.open; }
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLTextAreaElement || (event.target instanceof HTMLInputElement && event.target.type !== "radio");
    if (typing || event.altKey) return;
    const letter = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (letter === "z") { event.preventDefault(); acts.undo(); }
      return;
    }
    const onButton = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement || event.target.tagName === "SUMMARY";
    if ((event.key === "Enter" || event.key === " ") && onButton) return;
    const row = rows[active];
    let used = true;
    if (/^[1-9]$/.test(event.key) && row) choose(row, Number(event.key) - 1, true);
    else if (event.key === "0" && row) acts.rest();
    else if (event.key === "ArrowDown") mark(active + 1);
    else if (event.key === "ArrowUp") mark(active - 1);
    else if ((event.key === "ArrowRight" || event.key === "ArrowLeft") && row) {
      const step = event.key === "ArrowRight" ? 1 : -1;
      const all = radios(row);
      const at = all.findIndex((r) => r.checked);
      choose(row, at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length, false);
    } else if (event.key === "Enter" && row) acts.done();
    else if (letter === "g") toggle(".guide details");
    else if (event.key === "?") toggle(".keys");
    else if (letter === "n" && note) acts.note();
    else if (letters[letter] && document.querySelector(`[data-act=${letters[letter]}]`)) acts[letters[letter]]();
    else used = false;
    if (used) event.preventDefault();
  });

  mark(active);
  const highlighted = document.querySelector(".text mark");
  if (highlighted) {
    const text = highlighted.closest(".text");
    text.scrollTop = Math.max(0, highlighted.offsetTop - text.offsetTop - text.clientHeight / 3);
  }
  if (matchMedia("(max-width: 60rem)").matches) document.querySelectorAll(".guide details").forEach((d) => { d.open = false; });
  send();
})();
