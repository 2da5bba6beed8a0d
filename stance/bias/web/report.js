"use strict";
const D = JSON.parse(document.getElementById("data").textContent), S = D.summary, F = D.facts, T = D.tables;
const $ = id => document.getElementById(id), NS = "http://www.w3.org/2000/svg";
const form = $("filters"), LEVEL = S.level;
const Z = (() => { let lo = 0, hi = 6; const cdf = z => { let s = 0; const n = 400; for (let i = 0; i < n; i++) { const x = (i + .5) * z / n; s += Math.exp(-x * x / 2); } return s * z / n / Math.sqrt(2 * Math.PI); }; for (let i = 0; i < 50; i++) { const m = (lo + hi) / 2; cdf(m) < LEVEL / 2 ? lo = m : hi = m; } return lo; })();
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) if (v !== null && v !== undefined) k in node && k !== "list" ? node[k] = v : node.setAttribute(k, v);
  node.append(...children.filter(c => c !== null)); return node;
}
function svg(name, attributes = {}, text) {
  const node = document.createElementNS(NS, name);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  if (text !== undefined) node.textContent = text; return node;
}
const signed = x => (x < 0 ? "−" : x > 0 ? "+" : "") + Math.abs(x).toFixed(2);
const percent = x => (100 * x).toFixed(x < .1 ? 1 : 0) + " %";
const colour = (x, alpha) => `rgba(var(--${x < 0 ? "con" : "pro"}),${alpha})`;
const short = (text, n) => text.length > n ? text.slice(0, n - 1).trimEnd() + "…" : text;

// Student's t for few articles: the same stretch as stance.statistics.small_sample_factor (Hill 1970, CACM 396).
function tQuantile(df) {
  const p = 1 - LEVEL;
  if (df <= 1) return 1 / Math.tan(p * Math.PI / 2);
  if (df < 2.001) return Math.sqrt(2 / (p * (2 - p)) - 2);
  const a = 1 / (df - .5), b = 48 / (a * a); let c = ((20700 * a / b - 98) * a - 16) * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt(a * Math.PI / 2) * df; let x = d * p, y = x ** (2 / df);
  if (y > .05 + a) { x = -Z; y = x * x; if (df < 5) c += .3 * (df - 4.5) * (x + .6);
    c = (((.05 * d * x - 5) * x - 7) * x - 2) * x + b + c; y = (((((.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = a * y * y; y = y > .002 ? Math.exp(y) - 1 : .5 * y * y + y;
  } else y = ((1 / (((df + 6) / (df * y) - .089 * d - .822) * (df + 2) * 3) + .5 / (df + 4)) * y - 1) * (df + 1) / (df + 2) + 1 / y;
  return Math.sqrt(df * y);
}
let seed = 1; const uniform = () => { seed = (seed * 1664525 + 1013904223) >>> 0; return (seed + .5) / 4294967296; };
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
const times = (x, m) => [0, 1, 2, 3].map(j => x[0] * m[j] + x[1] * m[4 + j] + x[2] * m[8 + j] + x[3] * m[12 + j]);
const balance = x => Math.max(-1, Math.min(1, (x[2] - x[0]) / Math.max(x[0] + x[1] + x[2], 1e-9)));
function cholesky(s) {
  const l = Array(16).fill(0);
  for (let i = 0; i < 4; i++) for (let j = 0; j <= i; j++) {
    let v = s[i * 4 + j]; for (let k = 0; k < j; k++) v -= l[i * 4 + k] * l[j * 4 + k];
    l[i * 4 + j] = i === j ? Math.sqrt(Math.max(v, 0)) : l[j * 4 + j] > 1e-9 ? v / l[j * 4 + j] : 0;
  } return l;
}
// Balance of the articles whose sums and second moments are given: error rates drawn, article counts normal.
function estimate(sums, moments, articles, target, counted) {
  if (!articles || sums[0] + sums[1] + sums[2] === 0) return null;
  const inverse = counted ? null : F.inverse[target];
  const identity = [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1], draws = inverse ? inverse.draws : [identity];
  const m = sums, pairs = [[0,0],[0,1],[0,2],[0,3],[1,1],[1,2],[1,3],[2,2],[2,3],[3,3]], s = Array(16).fill(0);
  pairs.forEach(([i, j], k) => { s[i * 4 + j] = s[j * 4 + i] = moments[k] - m[i] * m[j] / articles; });
  const w = m[0] + m[1] + m[2], w2 = moments[0] + moments[4] + moments[7] + 2 * (moments[1] + moments[2] + moments[5]);
  const effective = w * w / w2, value = balance(times(m, inverse ? inverse.mean : identity));
  if (effective < 1.5) return { value, low: -1, high: 1, articles, effective };
  const n = Math.max(effective, 2), stretch = tQuantile(n - 1) / Z * Math.sqrt(n / (n - 1)), l = cholesky(s), found = [];
  seed = 12345;
  for (let i = 0; i < 600; i++) {
    const z = [normal(), normal(), normal(), normal()];
    const x = m.map((v, r) => v + stretch * (l[r*4]*z[0] + l[r*4+1]*z[1] + l[r*4+2]*z[2] + l[r*4+3]*z[3]));
    found.push(balance(times(x, draws[i % draws.length])));
  }
  found.sort((a, b) => a - b); const tail = (1 - LEVEL) / 2;
  return { value, low: Math.min(value, found[Math.floor(tail * 600)]), high: Math.max(value, found[Math.ceil((1 - tail) * 600) - 1]), articles, effective };
}
const index = new Map();
for (const c of F.cells) { const k = `${c[0]}|${c[1]}|${c[2]}`; (index.get(k) || index.set(k, []).get(k)).push(c); }
function totals(outlets, target, country, from, to) {
  const sums = [0,0,0,0], moments = Array(10).fill(0); let articles = 0;
  for (const o of outlets) for (const c of index.get(`${o}|${target}|${country}`) || []) {
    if (from !== null && (c[3] < from || c[3] > to)) continue;
    articles += c[4]; for (let i = 0; i < 4; i++) sums[i] += c[5 + i]; for (let i = 0; i < 10; i++) moments[i] += c[9 + i];
  } return { sums, moments, articles };
}
const state = {};
function readFilters() {
  const v = name => form.elements[name].value;
  state.from = v("from") === "" ? null : +v("from"); state.to = v("to") === "" ? null : +v("to");
  state.dated = state.from !== null || state.to !== null;
  if (state.dated) { state.from ??= F.periods[0][0]; state.to ??= F.periods.at(-1)[0]; }
  state.country = v("country") === "" ? -1 : +v("country"); state.figure = v("figure");
  state.outlet = v("outlet") === "" ? null : +v("outlet"); state.target = v("target") === "" ? null : +v("target");
  state.filtered = state.dated || state.country >= 0;
}
const rowOf = new Map(T.balance_by_outlet.map(r => [r.outlet + "\u0000" + r.target, r]));
function caution(r, target) {
  const found = [];
  if (r.effective < 10) found.push("few articles");
  if (!F.inverse[target]) found.push("not corrected"); else if (F.weak[target].length) found.push("weak model classes: " + F.weak[target].join(", "));
  return found.join("; ");
}
function figure(o, t) {
  const target = F.targets[t], row = rowOf.get(F.outlets[o] + "\u0000" + target);
  if (!state.filtered) {
    if (!row || row.balance === null) return null;
    const k = { pooled: ["pooled", "pooled_low", "pooled_high"], corrected: ["balance", "low", "high"], counted: ["counted", "counted_low", "counted_high"] }[state.figure];
    return { value: row[k[0]], low: row[k[1]], high: row[k[2]], rawLow: row.counted_low, rawHigh: row.counted_high, articles: row.articles, caution: row.caution };
  }
  const x = totals([o], t, state.country, state.dated ? state.from : null, state.to);
  const r = estimate(x.sums, x.moments, x.articles, target, state.figure === "counted"); if (!r) return null;
  const raw = estimate(x.sums, x.moments, x.articles, target, true);
  return { ...r, rawLow: raw.low, rawHigh: raw.high, caution: caution(r, target) };
}
const shownOutlets = () => state.outlet === null ? F.outlets.map((_, i) => i) : [state.outlet];
const shownTargets = () => state.target === null ? F.targets.map((_, i) => i) : [state.target];
let chosen = null;
function heat() {
  const table = $("heatmap"), targets = shownTargets(); table.replaceChildren();
  table.append(el("caption", { className: "skip" }, "Stance balance by outlet and target"),
    el("thead", {}, el("tr", {}, el("td"), ...targets.map(t => el("th", { scope: "col" }, F.targets[t])))));
  const body = el("tbody"); table.append(body);
  for (const o of shownOutlets()) body.append(el("tr", {}, el("th", { scope: "row" }, F.outlets[o]), ...targets.map(t => {
    const f = figure(o, t); if (!f) return el("td", {}, el("span", { className: "cell none" }, "not addressed"));
    const b = el("button", { type: "button", className: "cell" + (f.caution ? " caution" : ""), title: f.caution || "", onclick: () => { chosen = [o, t]; heat(); detail(true); } },
      el("b", {}, signed(f.value)), el("small", {}, `${signed(f.low)} to ${signed(f.high)}`), el("small", {}, `${f.articles} article${f.articles === 1 ? "" : "s"}`));
    b.setAttribute("aria-label", `${F.outlets[o]}, ${F.targets[t]}: ${signed(f.value)}, from ${signed(f.low)} to ${signed(f.high)}, ${f.articles} articles. ${f.caution || ""}`);
    b.setAttribute("aria-pressed", String(chosen !== null && chosen[0] === o && chosen[1] === t));
    b.style.background = colour(f.value, Math.min(.62, Math.abs(f.value) * .75)); return el("td", {}, b);
  })));
}
function detail(scroll) {
  const box = $("detail"); box.hidden = chosen === null; if (!chosen) return;
  const [o, t] = chosen, f = figure(o, t), body = $("detail-body"); $("detail-h").textContent = `${F.outlets[o]} on ${F.targets[t]}`; body.replaceChildren();
  if (f && f.caution) body.append(el("p", {}, el("span", { className: "tag" }, f.caution)));
  const x = totals([o], t, state.country, state.dated ? state.from : null, state.to).sums;
  body.append(el("p", { className: "lead" }, `As counted: ${x[0]} against, ${x[1]} neutral, ${x[2]} in favor, ${x[3]} not addressed.`));
  if (!S.examples) body.append(el("p", { className: "muted" }, "Example statements were switched off when this report was made."));
  const country = state.country >= 0 ? F.countries[state.country] : null;
  const found = T.examples.filter(e => e.outlet === F.outlets[o] && e.target === F.targets[t] && (!country || e.country === country));
  for (const label of ["against", "neutral", "favor"]) for (const e of found.filter(e => e.label === label)) {
    const q = el("blockquote", { className: label }, e.statement, el("footer", {}, `${label}${e.abstained ? " (abstained)" : ""} · ${e.speaker || "speaker not named"} · ${e.published || "no date"} · ${e.article_id}, characters ${e.start}–${e.end}`)); body.append(q);
  }
  if (S.examples && !found.length) body.append(el("p", { className: "muted" }, "No example among those kept fits the filters."));
  if (scroll) box.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
const x01 = (x, l, r) => l + (x + 1) / 2 * (r - l);
function axis(root, left, right, top, bottom) {
  for (const v of [-1, -.5, 0, .5, 1]) {
    root.append(svg("line", { x1: x01(v, left, right), x2: x01(v, left, right), y1: top, y2: bottom, class: v === 0 ? "zero" : "gridline" }),
      svg("text", { x: x01(v, left, right), y: bottom + 14, "text-anchor": "middle", class: "ax" }, v === 0 ? "0" : signed(v)));
  }
}
function intervals() {
  const root = $("intervals"); root.replaceChildren();
  for (const t of shownTargets()) {
    const outlets = shownOutlets().map(o => [o, figure(o, t)]).filter(([, f]) => f).sort((a, b) => a[1].value - b[1].value);
    const h = outlets.length * 24 + 26, W = 460, L = 150, R = 448, s = svg("svg", { viewBox: `0 0 ${W} ${h}`, role: "img", "aria-label": `Intervals for ${F.targets[t]}` });
    axis(s, L, R, 2, h - 22);
    outlets.forEach(([o, f], i) => {
      const y = 14 + i * 24, c = f.low > 0 ? "rgb(var(--pro))" : f.high < 0 ? "rgb(var(--con))" : "var(--mid)", g = svg("g");
      g.append(svg("title", {}, `${F.outlets[o]}: ${signed(f.value)} (${signed(f.low)} to ${signed(f.high)}); as counted ${signed(f.rawLow)} to ${signed(f.rawHigh)}. ${f.caution || ""}`),
        svg("text", { x: L - 8, y: y + 4, "text-anchor": "end" }, short(F.outlets[o], 21)),
        svg("line", { x1: x01(f.rawLow, L, R), x2: x01(f.rawHigh, L, R), y1: y + 6, y2: y + 6, class: "raw" }),
        svg("line", { x1: x01(f.low, L, R), x2: x01(f.high, L, R), y1: y, y2: y, stroke: c, "stroke-width": 4, "stroke-linecap": "round", "stroke-opacity": .75 }),
        svg("circle", { cx: x01(f.value, L, R), cy: y, r: 5, fill: c, stroke: "var(--card)", "stroke-width": 1.5 }));
      s.append(g);
    });
    root.append(el("figure", {}, el("figcaption", {}, F.targets[t]), s));
  }
}
function timeline() {
  const root = $("timeline"), outlet = state.outlet === null ? "(all)" : F.outlets[state.outlet]; root.replaceChildren();
  const periods = F.periods.filter(p => !state.dated || (p[0] >= state.from && p[0] <= state.to));
  $("time-lead").textContent = periods.length < 2 ? "There are too few dates for a timeline." : `Stance balance by ${F.unit}, ${outlet === "(all)" ? "all outlets" : outlet}, corrected, with ${percent(LEVEL)} bands. A gap: the target was not addressed.`;
  if (periods.length < 2) return;
  for (const t of shownTargets()) {
    const values = new Map();
    for (const r of T.timeline) if (state.country < 0 && r.outlet === outlet && r.target === F.targets[t] && r.balance !== null) values.set(r.period, r);
    if (state.country >= 0) for (const [p, label] of periods) {
      const x = totals(shownOutlets(), t, state.country, p, p), r = estimate(x.sums, x.moments, x.articles, F.targets[t], false);
      if (r) values.set(label, { balance: r.value, low: r.low, high: r.high, articles: r.articles });
    }
    const W = 460, H = 170, L = 36, R = 450, y = v => 8 + (1 - v) / 2 * 130, x = i => L + 8 + i * (R - L - 16) / Math.max(periods.length - 1, 1);
    const s = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Timeline for ${F.targets[t]}` });
    for (const v of [-1, 0, 1]) s.append(svg("line", { x1: L, x2: R, y1: y(v), y2: y(v), class: v === 0 ? "zero" : "gridline" }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end", class: "ax" }, v === 0 ? "0" : signed(v).slice(0, 2)));
    const step = Math.ceil(periods.length / 6);
    let run = []; const flush = () => { if (!run.length) return;
      const up = run.map(([i, r]) => `${x(i)},${y(r.high)}`), down = run.slice().reverse().map(([i, r]) => `${x(i)},${y(r.low)}`);
      if (run.length > 1) s.append(svg("polygon", { points: [...up, ...down].join(" "), fill: "var(--accent)", "fill-opacity": .18 }), svg("polyline", { points: run.map(([i, r]) => `${x(i)},${y(r.balance)}`).join(" "), fill: "none", stroke: "var(--accent)", "stroke-width": 2 }));
      for (const [i, r] of run) { if (run.length === 1) s.append(svg("line", { x1: x(i), x2: x(i), y1: y(r.low), y2: y(r.high), stroke: "var(--accent)", "stroke-opacity": .35, "stroke-width": 3 }));
        const c = svg("circle", { cx: x(i), cy: y(r.balance), r: 3.5, fill: "var(--accent)" }); c.append(svg("title", {}, `${periods[i][1]}: ${signed(r.balance)} (${signed(r.low)} to ${signed(r.high)}), ${r.articles} articles`)); s.append(c); } run = []; };
    periods.forEach(([, label], i) => { const r = values.get(label); r ? run.push([i, r]) : flush(); if (i % step === 0) s.append(svg("text", { x: x(i), y: H - 14, "text-anchor": "middle", class: "ax" }, label)); }); flush();
    root.append(el("figure", {}, el("figcaption", {}, F.targets[t]), s));
  }
}
function network() {
  const root = $("network"), names = new Set(shownTargets().map(t => F.targets[t])); root.replaceChildren();
  const rows = T.balance_by_speaker.filter(r => r.addressed > 0 && r.balance !== null && names.has(r.target)), by = new Map();
  for (const r of rows) by.set(r.speaker, (by.get(r.speaker) || 0) + r.addressed);
  const speakers = [...by].sort((a, b) => b[1] - a[1]).slice(0, 24).map(x => x[0]); if (!speakers.length) { root.append(el("p", { className: "muted" }, "No named speaker addresses a target.")); return; }
  const targets = [...names], H = Math.max(speakers.length * 22, targets.length * 60) + 20, W = 760, s = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": "Speakers and the targets they address", style: "min-width:560px" });
  const ys = new Map(speakers.map((n, i) => [n, 18 + i * (H - 30) / Math.max(speakers.length - 1, 1)])), yt = new Map(targets.map((n, i) => [n, (i + .5) * H / targets.length])), most = Math.max(...rows.map(r => r.addressed));
  for (const r of rows.filter(r => ys.has(r.speaker)).sort((a, b) => a.addressed - b.addressed)) {
    const a = ys.get(r.speaker), b = yt.get(r.target), c = r.low > 0 ? "rgb(var(--pro))" : r.high < 0 ? "rgb(var(--con))" : "var(--mid)";
    const p = svg("path", { d: `M230 ${a} C390 ${a} 450 ${b} 600 ${b}`, fill: "none", stroke: c, "stroke-opacity": c === "var(--mid)" ? .35 : .75, "stroke-width": 1 + 9 * Math.sqrt(r.addressed / most) });
    p.append(svg("title", {}, `${r.speaker} on ${r.target}: ${r.addressed} statements in ${r.articles} articles, ${signed(r.balance)} (${signed(r.low)} to ${signed(r.high)}). ${r.caution}`)); s.append(p);
  }
  for (const [n, y] of ys) s.append(svg("text", { x: 222, y: y + 4, "text-anchor": "end" }, short(n, 32)));
  for (const [n, y] of yt) s.append(svg("text", { x: 610, y: y + 4, style: "font-weight:600;font-size:14px" }, n));
  root.append(s);
}
function tableOf(columns, records) {
  const t = el("table", { className: "stack" }, el("thead", {}, el("tr", {}, ...columns.map(c => el("th", { scope: "col", className: c[2] || "" }, c[0])))));
  t.append(el("tbody", {}, ...records.map(r => el("tr", {}, ...columns.map(c => { const d = el("td", { className: c[2] || "" }); d.setAttribute("data-h", c[0]); d.append(c[1](r)); return d; }))))); return t;
}
function differenceBar(r) {
  const s = svg("svg", { viewBox: "0 0 160 16", style: "width:160px;display:inline-block", role: "img", "aria-label": `${signed(r.difference)}, ${signed(r.low)} to ${signed(r.high)}` }), x = v => 4 + (Math.max(-2, Math.min(2, v)) + 2) / 4 * 152;
  const c = r.established ? (r.difference < 0 ? "rgb(var(--con))" : "rgb(var(--pro))") : "var(--mid)";
  s.append(svg("line", { x1: 80, x2: 80, y1: 0, y2: 16, class: "zero" }), svg("line", { x1: x(r.low), x2: x(r.high), y1: 8, y2: 8, stroke: c, "stroke-width": 3 }), svg("circle", { cx: x(r.difference), cy: 8, r: 4, fill: c })); return s;
}
const verdict = r => el("span", { className: "tag" + (r.established ? " yes" : "") }, r.established ? "established" : "may be chance");
const value = r => `${signed(r.difference)} (${signed(r.low)} to ${signed(r.high)})`;
const pShown = p => p < .001 ? "< 0.001" : p.toFixed(3);
function differences() {
  const root = $("differences"), t = state.target === null ? null : F.targets[state.target], o = state.outlet === null ? null : F.outlets[state.outlet]; root.replaceChildren();
  const fits = r => (!t || r.target === t) && (!o || r.a === o || r.b === o || r.outlet === o);
  const all = T.differences, yes = all.filter(r => r.established).length;
  $("diff-lead").textContent = all.length ? `${yes ? yes : "No"} difference${yes === 1 ? " is" : "s are"} established after correction for the number of comparisons (Holm, ${percent(1 - LEVEL)}). These tables are of the whole report, whatever dates and speakers are chosen above.` : "Nothing to compare: it takes two outlets that address the same target.";
  const columns = [["Target", r => r.target], ["Outlet", r => r.a], ["minus", r => r.b], ["Difference", value], ["", differenceBar], ["Articles", r => `${r.articles_a} / ${r.articles_b}`, "n"], ["p, adjusted", r => pShown(r.p_holm), "n"], ["", verdict]];
  const some = all.filter(fits).slice(0, 14); if (some.length) root.append(tableOf(columns, some));
  const same = T.same_story.filter(fits).slice(0, 10);
  if (same.length) root.append(el("h3", {}, "On the same story"), el("p", { className: "lead" }, "Only days, speakers or articles that both outlets have, with equal weight in both."), tableOf([["Matched on", r => `${r.matched_on} (${r.shared})`], ...columns], same));
  if (T.changes.length) root.append(el("h3", {}, "Now minus before"), tableOf([["Target", r => r.target], ["Outlet", r => r.outlet], ["Before", r => signed(r.before)], ["Now", r => signed(r.now)], ["Change", value], ["", differenceBar], ["p, adjusted", r => pShown(r.p_holm), "n"], ["", verdict]], T.changes.filter(fits).slice(0, 20)));
  const sel = T.selection.filter(fits).slice(0, 14); $("selection-section").hidden = !T.selection.length; $("selection").replaceChildren();
  if (sel.length) $("selection").append(tableOf([["Outlet", r => r.outlet], ["Target", r => r.target], ["Quoted", r => signed(r.quoted), "n"], ["Own voice", r => signed(r.own_voice), "n"], ["Quoted minus own", value], ["", differenceBar], ["", verdict]], sel));
}
function bars(root, title, rows, key) {
  root.replaceChildren(el("h3", {}, title)); const most = Math.max(...rows.map(r => r.share), 1e-9);
  for (const r of rows) { const bar = el("div", { className: "bar" }); bar.style.width = 100 * r.share / most + "%";
    const name = el("span", { title: r[key] }, r[key]); root.append(el("div", { className: "barrow" }, name, el("div", {}, bar), el("span", { title: `${r.statements} statements in ${r.articles} articles` }, `${percent(r.share)} (${percent(r.low)}–${percent(r.high)})`))); }
}
function voice() {
  bars($("voice"), "Country of the speakers", T.voice_by_country, "country");
  bars($("speakers"), "Speakers", T.voice_by_speaker.filter(r => !r.speaker.startsWith("(")).slice(0, 12), "speaker");
  const groups = [...new Set(T.verbs.map(r => r.verb))], order = ["neutral","doubted","conceded","insisted","denied","attacked","warned","urged","praised","other"].filter(g => groups.includes(g)), by = new Map();
  for (const r of T.verbs) (by.get(r.country) || by.set(r.country, new Map()).get(r.country)).set(r.verb, r);
  const rows = [...by].map(([c, m]) => [c, m, [...m.values()].reduce((n, r) => n + r.statements, 0)]).sort((a, b) => b[2] - a[2]).slice(0, 12);
  const t = el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Speakers of"), el("th", { scope: "col", className: "n" }, "Statements"), ...order.map(g => el("th", { scope: "col", className: "n" }, g)))));
  t.append(el("tbody", {}, ...rows.map(([c, m, n]) => el("tr", {}, el("th", { scope: "row" }, c), el("td", { className: "n" }, String(n)), ...order.map(g => { const r = m.get(g), d = el("td", { className: "n", title: r ? `${percent(r.low)} to ${percent(r.high)}, ${r.statements} statements in ${r.articles} articles` : "" }, r ? percent(r.share) : "–"); if (r && g !== "neutral") d.style.background = `rgba(var(--con),${Math.min(.5, r.share * 1.5)})`; return d; })))));
  $("verbs").replaceChildren(rows.length ? t : el("p", { className: "muted" }, "No statement has a reporting verb."));
}
function draw() {
  readFilters(); heat(); detail(false); intervals(); timeline(); network(); differences();
  $("mode").textContent = state.filtered ? `Filtered: estimated by this page, ${state.figure === "counted" ? "as counted" : "corrected, without pooling"}. Speakers, differences and shares below stay those of the whole report.` : "";
}
function setUp() {
  $("headline").textContent = document.title.replace(/^Bias report: /, "").replace(/^./, c => c.toUpperCase());
  $("facts").textContent = `${S.statements.toLocaleString("en")} quoted or reported statements${S.own_voice_sentences ? ` and ${S.own_voice_sentences.toLocaleString("en")} of the outlets’ own sentences` : ""} · ${S.targets.join(", ")} · ${percent(LEVEL)} intervals${S.reference ? " · compared with " + S.reference : ""}`;
  $("notes").hidden = !S.notes.length; $("notes").querySelector("summary").textContent = `${S.notes.length} thing${S.notes.length === 1 ? "" : "s"} to know about these rows`; $("notes").querySelector("ul").append(...S.notes.map(n => el("li", {}, n)));
  const fill = (name, first, options) => form.elements[name].append(el("option", { value: "" }, first), ...options.map(([v, label]) => el("option", { value: v }, label)));
  fill("from", "first date", F.periods); fill("to", "last date", F.periods); fill("outlet", "all outlets", F.outlets.map((n, i) => [i, n]));
  fill("target", "all targets", F.targets.map((n, i) => [i, n])); fill("country", "all countries", F.countries.map((n, i) => [i, n]));
  $("made").textContent = `Model: ${Object.keys(S.models).join(", ") || "not named"}. ${S.draws} draws, seed ${S.seed}. Counts ${S.corrected ? "corrected for the model’s errors" : "not corrected"}. Wire copy: ${{ auto: "counted for each outlet", each: "counted for each outlet", once: "counted once", off: "not looked for" }[S.wire]}.`;
  form.addEventListener("change", draw); form.addEventListener("reset", () => setTimeout(draw)); form.addEventListener("submit", e => e.preventDefault());
  voice(); draw();
}
setUp();
