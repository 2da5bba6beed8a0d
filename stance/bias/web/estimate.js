"use strict";
/* The figures that the page's filters ask for, from sums and second moments of each article's counts (facts.py). */
const D = JSON.parse(document.getElementById("data").textContent);
const S = D.summary, F = D.facts, T = D.tables;
const LEVEL = S.level, FEW_ARTICLES = 10, DRAWS = 1000;
const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const PAIRS = [[0, 0], [0, 1], [0, 2], [0, 3], [1, 1], [1, 2], [1, 3], [2, 2], [2, 3], [3, 3]];

function normalCdf(z) { // of 0 to z, by the midpoint rule
  let sum = 0;
  for (let i = 0; i < 400; i++) { const x = (i + 0.5) * z / 400; sum += Math.exp(-x * x / 2); }
  return sum * z / 400 / Math.sqrt(2 * Math.PI);
}
const Z = (() => {
  let low = 0, high = 6;
  for (let i = 0; i < 50; i++) { const middle = (low + high) / 2; if (normalCdf(middle) < LEVEL / 2) low = middle; else high = middle; }
  return low;
})();

// Quantile of Student's t for two tails of 1 - LEVEL together (Hill 1970, CACM algorithm 396).
function tQuantile(df) {
  const p = 1 - LEVEL;
  if (df <= 1) return 1 / Math.tan(p * Math.PI / 2);
  if (df < 2.001) return Math.sqrt(2 / (p * (2 - p)) - 2);
  const a = 1 / (df - 0.5), b = 48 / (a * a);
  let c = ((20700 * a / b - 98) * a - 16) * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt(a * Math.PI / 2) * df;
  let x = d * p, y = x ** (2 / df);
  if (y > 0.05 + a) {
    x = -Z; y = x * x;
    if (df < 5) c += 0.3 * (df - 4.5) * (x + 0.6);
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = a * y * y;
    y = y > 0.002 ? Math.exp(y) - 1 : 0.5 * y * y + y;
  } else {
    y = ((1 / (((df + 6) / (df * y) - 0.089 * d - 0.822) * (df + 2) * 3) + 0.5 / (df + 4)) * y - 1) * (df + 1) / (df + 2) + 1 / y;
  }
  return Math.sqrt(df * y);
}

let seed = 1;
const uniform = () => { seed = (seed * 1664525 + 1013904223) >>> 0; return (seed + 0.5) / 4294967296; };
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
const times = (x, m) => [0, 1, 2, 3].map(j => x[0] * m[j] + x[1] * m[4 + j] + x[2] * m[8 + j] + x[3] * m[12 + j]);
const within = (x, low, high) => Math.max(low, Math.min(high, x));
const balance = x => within((x[2] - x[0]) / Math.max(x[0] + x[1] + x[2], 1e-9), -1, 1);
const addressed = x => within((x[0] + x[1] + x[2]) / Math.max(x[0] + x[1] + x[2] + x[3], 1e-9), 0, 1);

function cholesky(s) {
  const l = Array(16).fill(0);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j <= i; j++) {
      let v = s[i * 4 + j];
      for (let k = 0; k < j; k++) v -= l[i * 4 + k] * l[j * 4 + k];
      l[i * 4 + j] = i === j ? Math.sqrt(Math.max(v, 0)) : l[j * 4 + j] > 1e-9 ? v / l[j * 4 + j] : 0;
    }
  }
  return l;
}
function middle(values, value) { // the central interval of LEVEL, made to hold the value
  const sorted = values.slice().sort((a, b) => a - b), tail = (1 - LEVEL) / 2, n = sorted.length;
  const at = Math.max(Math.floor(tail * (n + 1)) - 1, 0);
  return [Math.min(value, sorted[at]), Math.max(value, sorted[n - 1 - at])];
}
function variance(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
}
// The least variance of a balance: that of independent statements (cells.py, _independent_variance).
function independentVariance(m) {
  const n = m[0] + m[1] + m[2], share = [0, 1, 2].map(i => (m[i] + 1) / (n + 3)), mean = share[2] - share[0];
  return (share[2] + share[0] - mean * mean) / Math.max(n, 1);
}

function independentShareVariance(m) {
  const n = m[0] + m[1] + m[2] + m[3], share = (m[0] + m[1] + m[2] + 1) / (n + 2);
  return share * (1 - share) / Math.max(n, 1);
}
const stretchOf = n => tQuantile(n - 1) / Z * Math.sqrt(n / (n - 1)); // small_sample_factor

// Balance and addressed share of the articles whose sums are given: error rates drawn, article counts normal.
function estimate({ sums, moments, addressing, articles }, target, counted) {
  if (!addressing) return null;
  const inverse = counted ? null : F.inverse[target], draws = inverse ? inverse.draws : [IDENTITY], mean = inverse ? inverse.mean : IDENTITY;
  const spread = Array(16).fill(0);
  PAIRS.forEach(([i, j], k) => { spread[i * 4 + j] = spread[j * 4 + i] = moments[k] - sums[i] * sums[j] / articles; });
  const total = sums[0] + sums[1] + sums[2], said = total + sums[3];
  const squares = moments[0] + moments[4] + moments[7] + 2 * (moments[1] + moments[2] + moments[5]);
  const effective = total * total / squares, speaking = said * said / (squares + moments[9] + 2 * (moments[3] + moments[6] + moments[8]));
  const value = balance(times(sums, mean)), share = addressed(times(sums, mean)), known = { value, share, articles: addressing, effective };
  const n = Math.max(effective, 2), stretch = stretchOf(n), shareStretch = stretchOf(Math.max(speaking, 2)), l = cholesky(spread);
  const found = [], shares = [], plain = [], noise = [];
  seed = 12345;
  for (let i = 0; i < DRAWS; i++) {
    const z = [normal(), normal(), normal(), normal()];
    const moved = [0, 1, 2, 3].map(r => l[r * 4] * z[0] + l[r * 4 + 1] * z[1] + l[r * 4 + 2] * z[2] + l[r * 4 + 3] * z[3]);
    const at = scale => times(sums.map((v, r) => v + scale * moved[r]), draws[i % draws.length]);
    found.push(balance(at(stretch))); shares.push(addressed(at(shareStretch))); noise.push([normal(), normal()]);
    plain.push(balance(times(sums.map((v, r) => v + moved[r]), mean)));
  }
  const missing = Math.sqrt(Math.max(independentVariance(sums) - variance(plain) * n / (n - 1), 0)) * stretch;
  const shareMissing = Math.sqrt(Math.max(independentShareVariance(sums) - variance(shares), 0)) * shareStretch;
  const [low, high] = effective < 1.5 ? [-1, 1] : middle(found.map((v, i) => within(v + missing * noise[i][0], -1, 1)), value);
  const [shareLow, shareHigh] = speaking < 1.5 ? [0, 1] : middle(shares.map((v, i) => within(v + shareMissing * noise[i][1], 0, 1)), share);
  return { ...known, low, high, shareLow, shareHigh };
}

function grouped(rows, keys) {
  const found = new Map();
  for (const row of rows) {
    const key = row.slice(0, keys).join("|");
    if (found.has(key)) found.get(key).push(row); else found.set(key, [row]);
  }
  return found;
}
const CELLS = grouped(F.cells, 3), SPEAKER_CELLS = grouped(F.speaker_cells, 4), VOICES = grouped(F.voices, 3);
const inDates = (period, dates) => dates === null || (period >= dates[0] && period <= dates[1]);
function added(cells, at, dates) {
  const all = { sums: [0, 0, 0, 0], moments: Array(10).fill(0), addressing: 0, articles: 0 };
  for (const c of cells) {
    if (!inDates(c[at], dates)) continue;
    all.addressing += c[at + 1]; all.articles += c[at + 2];
    for (let i = 0; i < 4; i++) all.sums[i] += c[at + 3 + i];
    for (let i = 0; i < 10; i++) all.moments[i] += c[at + 7 + i];
  }
  return all;
}
// `outlets` are places in F.outlets, `country` a place in F.countries or -1, `dates` the first and last period or null.
const totals = (outlets, target, country, dates) => added(outlets.flatMap(o => CELLS.get(`${o}|${target}|${country}`) || []), 3, dates);
const speakerTotals = (speaker, outlets, target, country, dates) =>
  added(outlets.flatMap(o => SPEAKER_CELLS.get(`${speaker}|${o}|${target}|${country}`) || []), 4, F.speakers_dated ? dates : null);

// Share of all statements that a speaker (-1: anyone) of a country (-1: any) makes, by linearisation of the ratio.
function voiceShare(speaker, country, outlets, dates) {
  const sum = (who, where) => {
    const s = [0, 0, 0, 0];
    for (const o of outlets) for (const v of VOICES.get(`${who}|${where}|${o}`) || []) if (inDates(v[3], dates)) for (let i = 0; i < 4; i++) s[i] += v[4 + i];
    return s;
  };
  const [articles, y, yy, yn] = sum(speaker, country), [, n, nn] = sum(-1, -1);
  if (!y) return null;
  const share = y / n, effective = n * n / nn, few = effective < 1.5;
  const sd = few ? 0 : Math.sqrt(Math.max(yy - 2 * share * yn + share * share * nn, 0) * effective / (effective - 1)) / n;
  const half = few ? 1 : tQuantile(Math.max(effective - 1, 1)) * sd;
  return { share, low: Math.max(0, share - half), high: Math.min(1, share + half), statements: y, articles, caution: articles < FEW_ARTICLES ? "few articles" : "" };
}
