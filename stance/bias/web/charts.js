/* Drawing: elements, and charts as wide as the room they get, so that their letters keep their size. */
const NS = "http://www.w3.org/2000/svg";
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) {
    if (v === null || v === undefined) continue;
    if (k in node && k !== "list") node[k] = v; else node.setAttribute(k, v);
  }
  node.append(...children.filter(c => c !== null && c !== undefined));
  return node;
}
function svg(name, attributes = {}, text) {
  const node = document.createElementNS(NS, name);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  if (text !== undefined) node.textContent = text;
  return node;
}
function signed(x) {
  const shown = Math.abs(x).toFixed(2);
  return (shown === "0.00" ? "" : x < 0 ? "−" : "+") + shown;
}
const percent = x => (100 * x).toFixed(x > 0 && x < 0.0995 ? 1 : 0) + " %";
const short = (text, n) => text.length > n ? text.slice(0, Math.max(n - 1, 1)).trimEnd() + "…" : text;
const many = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
const few = caution => (caution || "").includes("few articles");
const side = (low, high) => low > 0 ? "rgb(var(--pro))" : high < 0 ? "rgb(var(--con))" : "var(--mid)";
const LETTER = 6.6; // width of a letter of 12 px, about

function figure(root, title, caution) {
  const box = el("figure", {}, el("figcaption", {}, title, caution ? el("span", { className: "tag" }, caution) : null));
  root.append(box);
  return [box, Math.max(box.clientWidth, 260)];
}
function canvas(width, height, label) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
}
// Points with intervals, one line each. rows: name, value, low, high, rawLow, rawHigh, colour, hollow, title.
function intervalChart(root, title, caution, rows, { from, to, ticks, format }) {
  const [box, W] = figure(root, title, caution), L = Math.min(190, Math.round(W * 0.36)), R = W - 20, H = rows.length * 24 + 26;
  const x = v => L + (within(v, from, to) - from) / (to - from) * (R - L);
  const s = canvas(W, H, `${title}: ` + rows.map(r => r.title).join("; "));
  for (const v of ticks) {
    s.append(svg("line", { x1: x(v), x2: x(v), y1: 2, y2: H - 22, class: v === 0 ? "zero" : "gridline" }),
      svg("text", { x: x(v), y: H - 8, "text-anchor": "middle", class: "ax" }, format(v)));
  }
  rows.forEach((r, i) => {
    const y = 14 + i * 24, g = svg("g");
    g.append(svg("title", {}, r.title), svg("text", { x: L - 8, y: y + 4, "text-anchor": "end" }, short(r.name, Math.floor((L - 10) / LETTER))));
    if (r.rawLow !== undefined) g.append(svg("line", { x1: x(r.rawLow), x2: x(r.rawHigh), y1: y + 7, y2: y + 7, class: "raw" }));
    g.append(svg("line", { x1: x(r.low), x2: x(r.high), y1: y, y2: y, stroke: r.colour, "stroke-width": 4, "stroke-linecap": "round", "stroke-opacity": 0.75 }),
      svg("circle", { cx: x(r.value), cy: y, r: 5, fill: r.hollow ? "var(--card)" : r.colour, stroke: r.hollow ? r.colour : "var(--card)", "stroke-width": 2 }));
    s.append(g);
  });
  box.append(s);
}
// A line with a band. points: one per period, null where there is none.
function timelineChart(root, title, caution, labels, points) {
  const [box, W] = figure(root, title, caution), H = 172, L = 34, R = W - 12;
  const y = v => 8 + (1 - v) / 2 * 130, x = i => L + 10 + i * (R - L - 20) / Math.max(labels.length - 1, 1);
  const shown = points.map((p, i) => p && `${labels[i]} ${signed(p.value)}`).filter(Boolean);
  const s = canvas(W, H, `${title}: ${shown.join(", ")}`);
  for (const [v, name] of [[1, "+1"], [0, "0"], [-1, "−1"]]) {
    s.append(svg("line", { x1: L, x2: R, y1: y(v), y2: y(v), class: v === 0 ? "zero" : "gridline" }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end", class: "ax" }, name));
  }
  const step = Math.ceil(labels.length / Math.max(2, Math.floor((R - L) / 84)));
  labels.forEach((label, i) => { if (i % step === 0) s.append(svg("text", { x: x(i), y: H - 12, "text-anchor": i ? "middle" : "start", dx: i ? 0 : -10, class: "ax" }, label)); });
  let run = [];
  const draw = () => {
    if (run.length > 1) {
      const up = run.map(([i, p]) => `${x(i)},${y(p.high)}`), down = run.slice().reverse().map(([i, p]) => `${x(i)},${y(p.low)}`);
      s.append(svg("polygon", { points: [...up, ...down].join(" "), fill: "var(--accent)", "fill-opacity": 0.16 }),
        svg("polyline", { points: run.map(([i, p]) => `${x(i)},${y(p.value)}`).join(" "), fill: "none", stroke: "var(--accent)", "stroke-width": 2 }));
    } else if (run.length) {
      const [i, p] = run[0];
      s.append(svg("line", { x1: x(i), x2: x(i), y1: y(p.low), y2: y(p.high), stroke: "var(--accent)", "stroke-opacity": 0.35, "stroke-width": 3 }));
    }
    for (const [i, p] of run) {
      const c = svg("circle", { cx: x(i), cy: y(p.value), r: 3.5, fill: p.hollow ? "var(--card)" : "var(--accent)", stroke: "var(--accent)", "stroke-width": 1.5 });
      c.append(svg("title", {}, p.title)); s.append(c);
    }
    run = [];
  };
  points.forEach((p, i) => { if (p) run.push([i, p]); else draw(); });
  draw();
  box.append(s);
}
// links: speaker, target, addressed, low, high, title.
function networkChart(root, speakers, targets, links) {
  const W = Math.max(root.clientWidth, 260), H = Math.max(speakers.length * 22, targets.length * 60) + 16;
  const L = Math.min(240, Math.round(W * 0.38)), R = W - Math.round(Math.min(W * 0.4, 16 + 7.8 * Math.max(...targets.map(n => n.length)))), bend = (R - L) * 0.45;
  const ys = new Map(speakers.map((n, i) => [n, 16 + (speakers.length < 2 ? (H - 32) / 2 : i * (H - 32) / (speakers.length - 1))]));
  const yt = new Map(targets.map((n, i) => [n, (i + 0.5) * H / targets.length])), most = Math.max(...links.map(r => r.addressed));
  const s = canvas(W, H, "Speakers and targets: " + links.map(r => r.title).join("; "));
  for (const r of links.slice().sort((a, b) => a.addressed - b.addressed)) {
    const a = ys.get(r.speaker), b = yt.get(r.target), colour = side(r.low, r.high);
    const path = svg("path", {
      d: `M${L} ${a} C${L + bend} ${a} ${R - bend} ${b} ${R} ${b}`, fill: "none", stroke: colour,
      "stroke-opacity": colour === "var(--mid)" ? 0.4 : 0.75, "stroke-width": 1 + 9 * Math.sqrt(r.addressed / most),
    });
    path.append(svg("title", {}, r.title)); s.append(path);
  }
  for (const [n, y] of ys) s.append(svg("text", { x: L - 8, y: y + 4, "text-anchor": "end" }, short(n, Math.floor((L - 10) / LETTER))));
  for (const [n, y] of yt) s.append(svg("text", { x: R + 8, y: y + 4, class: "name" }, short(n, Math.floor((W - R - 8) / 7.6))));
  root.append(s);
}
function differenceBar(r) {
  const x = v => 4 + (within(v, -2, 2) + 2) / 4 * 152;
  const s = svg("svg", { viewBox: "0 0 160 16", width: 160, height: 16, role: "img", "aria-label": `${signed(r.difference)}, ${signed(r.low)} to ${signed(r.high)}` });
  const colour = r.established ? (r.difference < 0 ? "rgb(var(--con))" : "rgb(var(--pro))") : "var(--mid)";
  s.append(svg("line", { x1: 80, x2: 80, y1: 0, y2: 16, class: "zero" }), svg("line", { x1: x(r.low), x2: x(r.high), y1: 8, y2: 8, stroke: colour, "stroke-width": 3 }),
    svg("circle", { cx: x(r.difference), cy: 8, r: 4, fill: colour }));
  return s;
}
// columns: heading, cell of a record, class.
function tableOf(columns, records) {
  const head = el("tr", {}, ...columns.map(([name, , kind]) => el("th", { scope: "col", className: kind || "" }, name)));
  const rows = records.map(r => el("tr", {}, ...columns.map(([name, cell, kind]) => el("td", { className: kind || "", "data-h": name }, el("span", {}, cell(r))))));
  return el("table", { className: "stack" }, el("thead", {}, head), el("tbody", {}, ...rows));
}
function bars(root, title, rows) { // rows: name, share, low, high, statements, articles, caution
  const most = Math.max(...rows.map(r => r.share), 1e-9);
  root.replaceChildren(el("h3", {}, title));
  if (!rows.length) root.append(el("p", { className: "muted" }, "None under these filters."));
  for (const r of rows) {
    const bar = el("div", { className: "bar" }), said = `${many(r.statements, "statement")} in ${many(r.articles, "article")}`;
    bar.style.width = 100 * r.share / most + "%";
    root.append(el("div", { className: "barrow" }, el("span", { title: r.name }, r.name), el("div", {}, bar),
      el("span", { title: said }, `${percent(r.share)} (${percent(r.low)} to ${percent(r.high)})${few(r.caution) ? " *" : ""}`)));
  }
}
