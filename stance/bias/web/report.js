/* The page: filters, and what each section shows under them. */
const $ = id => document.getElementById(id);
const form = $("filters"), state = {};
const LABELS = ["against", "neutral", "favor"];
const VERBS = ["neutral", "doubted", "conceded", "insisted", "denied", "attacked", "warned", "urged", "praised", "other"];
const rowOf = new Map(T.balance_by_outlet.map(r => [r.outlet + "\u0000" + r.target, r]));
let chosen = null; // outlet and target of the cell whose statements are shown

function readFilters() {
  const v = name => form.elements[name].value, number = name => v(name) === "" ? null : +v(name), from = number("from"), to = number("to");
  state.dates = from === null && to === null ? null : [from ?? F.periods[0][0], to ?? F.periods.at(-1)[0]].sort((a, b) => a - b);
  state.country = number("country") ?? -1;
  state.outlet = number("outlet"); state.target = number("target"); state.figure = v("figure");
  state.filtered = state.dates !== null || state.country >= 0;
  state.outlets = state.outlet === null ? F.outlets.map((_, i) => i) : [state.outlet];
  state.targets = state.target === null ? F.targets.map((_, i) => i) : [state.target];
  state.counted = state.figure === "counted";
}
const weak = target => !F.inverse[target] ? "not corrected" : F.weak[target].length ? "weak model classes: " + F.weak[target].join(", ") : "";
const caution = (effective, target) => [effective < FEW_ARTICLES ? "few articles" : "", weak(target)].filter(Boolean).join("; ");
const interval = f => `${signed(f.value)} (${signed(f.low)} to ${signed(f.high)})`;

// The chosen figure of a cell: the report's own where no date or country is chosen, else the page's.
function cellFigure(o, t) {
  const target = F.targets[t], row = rowOf.get(F.outlets[o] + "\u0000" + target);
  if (!state.filtered) {
    if (!row || row.balance === null) return null;
    const [value, low, high] = { pooled: ["pooled", "pooled_low", "pooled_high"], corrected: ["balance", "low", "high"], counted: ["counted", "counted_low", "counted_high"] }[state.figure].map(k => row[k]);
    return { value, low, high, rawLow: row.counted_low, rawHigh: row.counted_high, articles: row.articles, caution: row.caution };
  }
  const x = totals([o], t, state.country, state.dates), r = estimate(x, target, state.counted);
  if (!r) return null;
  const raw = estimate(x, target, true);
  return { ...r, rawLow: raw.low, rawHigh: raw.high, caution: caution(r.effective, target) };
}
function heat() {
  const table = $("heatmap"), head = state.targets.map(t => el("th", { scope: "col" }, F.targets[t], weak(F.targets[t]) ? el("small", {}, weak(F.targets[t])) : null));
  table.replaceChildren(el("caption", { className: "skip" }, "Stance balance by outlet and target"), el("thead", {}, el("tr", {}, el("td"), ...head)));
  table.style.setProperty("--targets", state.targets.length);
  table.append(el("tbody", {}, ...state.outlets.map(o => el("tr", {}, el("th", { scope: "row" }, F.outlets[o]), ...state.targets.map(t => el("td", {}, heatCell(o, t)))))));
}
function heatCell(o, t) {
  const f = cellFigure(o, t);
  if (!f) return el("span", { className: "cell none" }, "not addressed");
  const hold = chosen !== null && chosen[0] === o && chosen[1] === t;
  const button = el("button", {
    type: "button", className: "cell" + (few(f.caution) ? " caution" : ""), title: f.caution || "",
    "aria-label": `${F.outlets[o]}, ${F.targets[t]}: ${interval(f)}, ${many(f.articles, "article")}. ${f.caution || ""}`, "aria-pressed": String(hold),
    onclick: () => { chosen = hold ? null : [o, t]; heat(); detail(true); },
  }, el("b", {}, signed(f.value)), el("small", {}, `${signed(f.low)} to ${signed(f.high)}`), el("small", {}, many(f.articles, "article") + (few(f.caution) ? ": few" : "")));
  button.style.background = `rgba(var(--${f.value < 0 ? "con" : "pro"}),calc(var(--heat)*${Math.min(1, Math.abs(f.value) * 1.2).toFixed(3)}))`;
  return button;
}
function detail(scroll) {
  const box = $("detail"), body = $("detail-body");
  box.hidden = chosen === null;
  if (!chosen) return;
  const [o, t] = chosen, f = cellFigure(o, t), x = totals([o], t, state.country, state.dates).sums;
  $("detail-h").textContent = `${F.outlets[o]} on ${F.targets[t]}`;
  body.replaceChildren(el("p", { className: "lead" }, `${f ? interval(f) + ". " : ""}As counted: ${x[0]} against, ${x[1]} neutral, ${x[2]} in favor, ${x[3]} not addressed.`));
  if (f && f.caution) body.append(el("p", {}, el("span", { className: "tag" }, f.caution)));
  const found = examplesOf(o, t), none = S.examples ? "No example among those kept fits the filters." : "Example statements were switched off when this report was made.";
  for (const label of LABELS) body.append(...found.filter(e => e.label === label).map(example));
  if (!found.length) body.append(el("p", { className: "muted" }, none));
  if (scroll) box.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
function examplesOf(o, t) {
  const country = state.country >= 0 ? F.countries[state.country] : null, period = p => F.periods.find(x => x[0] === p);
  const [first, last] = state.dates ? [period(state.dates[0])[2], period(state.dates[1])[3]] : [null, null];
  const dated = e => first === null || (e.published !== null && e.published.slice(0, 10) >= first && e.published.slice(0, 10) <= last);
  return T.examples.filter(e => e.outlet === F.outlets[o] && e.target === F.targets[t] && (!country || e.country === country) && dated(e));
}
function example(e) {
  const source = [e.label + (e.abstained ? " (abstained)" : ""), e.speaker || "speaker not named", e.published || "no date", `${e.article_id}, characters ${e.start} to ${e.end}`];
  return el("blockquote", { className: e.label }, e.statement, el("footer", {}, source.join(" · ")));
}
function intervals() {
  const root = $("intervals");
  root.replaceChildren();
  for (const t of state.targets) {
    const target = F.targets[t];
    const rows = state.outlets.map(o => [o, cellFigure(o, t)]).filter(([, f]) => f).sort((a, b) => b[1].value - a[1].value).map(([o, f]) => ({
      ...f, name: F.outlets[o], colour: side(f.low, f.high), hollow: few(f.caution),
      title: `${F.outlets[o]} ${interval(f)}, as counted ${signed(f.rawLow)} to ${signed(f.rawHigh)}, ${many(f.articles, "article")}${few(f.caution) ? ", few articles" : ""}`,
    }));
    if (rows.length) intervalChart(root, target, weak(target), rows, { from: -1, to: 1, ticks: [-1, -0.5, 0, 0.5, 1], format: v => signed(v).replace("0.00", "0") });
  }
}
function agenda() {
  const root = $("agenda");
  root.replaceChildren();
  const share = (o, t) => {
    const row = rowOf.get(F.outlets[o] + "\u0000" + F.targets[t]);
    if (!state.filtered && !state.counted && row) return { value: row.addressed_share, low: row.addressed_low, high: row.addressed_high, articles: row.articles };
    const r = estimate(totals([o], t, state.country, state.dates), F.targets[t], state.counted);
    return r && { value: r.share, low: r.shareLow, high: r.shareHigh, articles: r.articles };
  };
  const all = state.targets.map(t => state.outlets.map(o => [o, share(o, t)]).filter(([, f]) => f));
  const most = Math.max(...all.flat().map(([, f]) => f.high), 0.01), step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25].find(s => most / s <= 4) || 0.5;
  const to = Math.ceil(most / step - 1e-9) * step, ticks = Array.from({ length: Math.round(to / step) + 1 }, (_, i) => i * step);
  state.targets.forEach((t, i) => {
    const rows = all[i].sort((a, b) => b[1].value - a[1].value).map(([o, f]) => ({
      ...f, name: F.outlets[o], colour: "var(--accent)", hollow: f.articles < FEW_ARTICLES,
      title: `${F.outlets[o]} ${percent(f.value)} (${percent(f.low)} to ${percent(f.high)}), ${many(f.articles, "article")}`,
    }));
    if (rows.length) intervalChart(root, F.targets[t], F.inverse[F.targets[t]] ? "" : "not corrected", rows, { from: 0, to, ticks, format: v => (100 * v).toFixed(step < 0.01 ? 1 : 0) + " %" });
  });
}
function timeline() {
  const root = $("timeline"), outlet = state.outlet === null ? "(all)" : F.outlets[state.outlet];
  const periods = F.periods.filter(p => inDates(p[0], state.dates)), keys = state.counted ? ["counted", "counted_low", "counted_high"] : ["balance", "low", "high"];
  root.replaceChildren();
  const whose = (outlet === "(all)" ? "all outlets" : outlet) + (state.country >= 0 ? `, speakers of ${F.countries[state.country]}` : "");
  $("time-lead").textContent = periods.length < 2 ? "There are too few dates for a timeline." :
    `Stance balance by ${F.unit}, ${whose}, ${state.counted ? "as counted" : "corrected"}, with ${percent(LEVEL)} bands. A gap: the target was not addressed. A hollow point: few articles.`;
  if (periods.length < 2) return;
  for (const t of state.targets) {
    const target = F.targets[t], rows = new Map(T.timeline.filter(r => r.outlet === outlet && r.target === target && r.balance !== null).map(r => [r.period, r]));
    const points = periods.map(([p, label]) => {
      const row = rows.get(label);
      if (state.country < 0) return row ? { value: row[keys[0]], low: row[keys[1]], high: row[keys[2]], articles: row.articles, hollow: few(row.caution) } : null;
      const r = estimate(totals(state.outlets, t, state.country, [p, p]), target, state.counted);
      return r && { ...r, hollow: r.effective < FEW_ARTICLES };
    });
    points.forEach((p, i) => { if (p) p.title = `${periods[i][1]}: ${interval(p)}, ${many(p.articles, "article")}`; });
    timelineChart(root, target, weak(target), periods.map(p => p[1]), points);
  }
}
function network() {
  const root = $("network"), names = new Set(state.targets.map(t => F.targets[t])), own = !state.filtered && state.outlet === null && !state.counted;
  root.replaceChildren();
  const links = own ? T.balance_by_speaker.filter(r => r.addressed > 0 && r.balance !== null && names.has(r.target)).map(r => ({ ...r, value: r.balance })) : [];
  if (!own) F.speakers.forEach((speaker, i) => state.targets.forEach(t => {
    const x = speakerTotals(i, state.outlets, t, state.country, state.dates), r = estimate(x, F.targets[t], state.counted);
    if (r) links.push({ ...r, speaker, target: F.targets[t], addressed: x.sums[0] + x.sums[1] + x.sums[2], caution: caution(r.effective, F.targets[t]) });
  }));
  const by = new Map();
  for (const r of links) by.set(r.speaker, (by.get(r.speaker) || 0) + r.addressed);
  const speakers = [...by].sort((a, b) => b[1] - a[1]).slice(0, 24).map(x => x[0]), shown = links.filter(r => speakers.includes(r.speaker));
  $("net-note").textContent = !own && state.dates && !F.speakers_dated ? "There are too many cells for dates here: this figure is of all dates." : "";
  if (!shown.length) { root.append(el("p", { className: "muted" }, "No named speaker addresses a target.")); return; }
  for (const r of shown) r.title = `${r.speaker} on ${r.target}: ${many(r.addressed, "statement")} in ${many(r.articles, "article")}, ${interval(r)}${r.caution ? ", " + r.caution : ""}`;
  networkChart(root, speakers, [...names].filter(n => shown.some(r => r.target === n)), shown);
}
const value = r => `${signed(r.difference)} (${signed(r.low)} to ${signed(r.high)})`;
const pShown = p => p < 0.001 ? "< 0.001" : p.toFixed(3);
const verdict = r => el("span", {}, el("span", { className: "tag" + (r.established ? " yes" : "") }, r.established ? "established" : "may be chance"), r.caution ? el("small", { className: "muted" }, r.caution) : null);
const TAIL = [["Interval", differenceBar], ["p, adjusted", r => pShown(r.p_holm), "n"], ["Finding", verdict, "finding"]];
const COMPARED = [["Target", r => r.target], ["Outlets", r => `${r.a} minus ${r.b}`], ["Difference", value, "v"], ["Articles", r => `${r.articles_a} / ${r.articles_b}`, "n"], ...TAIL];
const CHANGED = [["Target", r => r.target], ["Outlet", r => r.outlet], ["Before", r => signed(r.before), "n"], ["Now", r => signed(r.now), "n"], ["Change", value, "v"], ["Articles", r => `${r.articles_before} / ${r.articles_now}`, "n"], ...TAIL];
const SELECTED = [["Outlet", r => r.outlet], ["Target", r => r.target], ["Quoted", r => signed(r.quoted), "n"], ["Own voice", r => signed(r.own_voice), "n"], ["Quoted minus own", value, "v"], ...TAIL];
function differences() {
  const root = $("differences"), t = state.target === null ? null : F.targets[state.target], o = state.outlet === null ? null : F.outlets[state.outlet];
  const fits = r => (!t || r.target === t) && (!o || r.a === o || r.b === o || r.outlet === o), yes = S.established.differences;
  root.replaceChildren();
  $("diff-lead").textContent = T.differences.length ? `${yes || "No"} difference${yes === 1 ? " is" : "s are"} established after correction for the number of comparisons (Holm, ${percent(1 - LEVEL)}). These tables are of the whole report, whatever dates and speakers are chosen above.` : "Nothing to compare: it takes two outlets that address the same target.";
  const section = (rows, columns, most, title, lead) => {
    const some = rows.filter(fits).slice(0, most);
    if (!some.length) return;
    if (title) root.append(el("h3", {}, title));
    if (lead) root.append(el("p", { className: "lead" }, lead));
    root.append(tableOf(columns, some));
  };
  section(T.differences, COMPARED, 14);
  section(T.same_story, [["Matched on", r => `${r.matched_on} (${r.shared})`], ...COMPARED], 10, "On the same story", "Only days, speakers or articles that both outlets have, with equal weight in both; their number in parentheses.");
  section(T.changes, CHANGED, 20, "Now minus before");
  const sel = T.selection.filter(fits).slice(0, 14);
  $("selection-section").hidden = !T.selection.length;
  $("selection").replaceChildren(sel.length ? tableOf(SELECTED, sel) : el("p", { className: "muted" }, "Nothing under these filters."));
}
function voice() {
  const plain = !state.filtered && state.outlet === null, ranked = rows => rows.filter(([, r]) => r).map(([name, r]) => ({ ...r, name })).sort((a, b) => b.share - a.share).slice(0, 12);
  const countries = F.countries.map((c, i) => [c, i]).filter(([, i]) => state.country < 0 || state.country === i);
  bars($("voice"), "Country of the speakers", plain ? T.voice_by_country.map(r => ({ ...r, name: r.country })) : ranked(countries.map(([c, i]) => [c, voiceShare(-1, i, state.outlets, state.dates)])));
  bars($("speakers"), "Speakers", plain ? T.voice_by_speaker.filter(r => !r.speaker.startsWith("(")).slice(0, 12).map(r => ({ ...r, name: r.speaker })) :
    ranked(F.speakers.map((s, i) => [s, voiceShare(i, state.country, state.outlets, state.dates)])));
}
function verbs() {
  const by = new Map(), groups = VERBS.filter(g => T.verbs.some(r => r.verb === g)), only = state.country >= 0 ? F.countries[state.country] : null;
  for (const r of T.verbs) if (!only || r.country === only) { if (!by.has(r.country)) by.set(r.country, new Map()); by.get(r.country).set(r.verb, r); }
  const rows = [...by].map(([c, m]) => [c, m, [...m.values()].reduce((n, r) => n + r.statements, 0)]).sort((a, b) => b[2] - a[2]).slice(0, 12);
  const head = ["Speakers of", "Statements", ...groups].map((name, i) => el("th", { scope: "col", className: i ? "n" : "" }, name));
  const cell = (r, g) => {
    const d = el("td", { className: "n", title: r ? `${percent(r.low)} to ${percent(r.high)}, ${many(r.statements, "statement")} in ${many(r.articles, "article")}` : "" }, r ? percent(r.share) + (few(r.caution) ? " *" : "") : "–");
    if (r && g !== "neutral" && g !== "other") d.style.background = `rgba(var(--con),${Math.min(0.35, r.share).toFixed(3)})`;
    return d;
  };
  const body = rows.map(([c, m, n]) => el("tr", {}, el("th", { scope: "row" }, c), el("td", { className: "n" }, String(n)), ...groups.map(g => cell(m.get(g), g))));
  $("verbs").replaceChildren(rows.length ? el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body)) : el("p", { className: "muted" }, "No statement has a reporting verb."));
}
function draw() {
  readFilters();
  for (const section of [heat, intervals, agenda, timeline, network, differences, voice, verbs]) section();
  detail(false);
  $("mode").textContent = state.filtered ? `Filtered: estimated by this page, ${state.counted ? "as counted" : "corrected, without pooling"}. Differences, own voice and verbs stay those of the whole report.` : "";
}
function setUp() {
  $("headline").textContent = document.title.replace(/^Bias report: /, "").replace(/^./, c => c.toUpperCase());
  const own = S.own_voice_sentences ? ` and ${many(S.own_voice_sentences, "sentence")} of the outlets’ own` : "";
  $("facts").textContent = `${many(S.statements, "quoted or reported statement")}${own} · ${S.targets.join(", ")} · ${percent(LEVEL)} intervals${S.reference ? " · compared with " + S.reference : ""}`;
  $("notes").hidden = !S.notes.length;
  $("notes").querySelector("summary").textContent = `${many(S.notes.length, "thing")} to know about these rows`;
  $("notes").querySelector("ul").append(...S.notes.map(n => el("li", {}, n)));
  const fill = (name, first, options) => form.elements[name].append(el("option", { value: "" }, first), ...options.map(([v, label]) => el("option", { value: v }, label)));
  const numbered = names => names.map((n, i) => [i, n]);
  fill("from", "first date", F.periods); fill("to", "last date", F.periods); fill("outlet", "all outlets", numbered(F.outlets));
  fill("target", "all targets", numbered(F.targets)); fill("country", "all countries", numbered(F.countries));
  const wire = { auto: "counted for each outlet", each: "counted for each outlet", once: "counted once", off: "not looked for" }[S.wire];
  $("made").textContent = `Model: ${Object.keys(S.models).filter(Boolean).join(", ") || "not named"}. ${S.draws} draws, seed ${S.seed}. Counts ${S.corrected ? "corrected for the model’s errors" : "not corrected"}. Wire copy: ${wire}.`;
  form.addEventListener("change", draw);
  form.addEventListener("reset", () => setTimeout(draw));
  form.addEventListener("submit", e => e.preventDefault());
  let width = innerWidth, waiting = 0; // charts are drawn anew for another width, not when a phone's address bar moves
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => { if (innerWidth !== width) { width = innerWidth; draw(); } }, 150); });
  draw();
}
setUp();
