"""64 clients at once against ``stance serve``, beside ``stance classify`` on the same statements.

``python -m training.benchmark_serve`` starts a server of its own, lets every client send one statement after another
for a minute, then checks each answer against what ``classify`` says of that statement alone, and prints both rates,
and the processor time that a statement takes the server and the baseline. The clients share the cores with the server,
so they do no more than they must while the clock runs. The baseline is the loop of ``stance classify`` without its
start-up; it runs before and after, because machines differ from minute to minute. Batches of other shapes round
otherwise (most with bfloat16): how far ``classify`` itself moves from its answers to single statements is measured,
and twice that is allowed. Label and abstention must be what the answer's own probabilities say. What a swapped answer
would look like is measured too: the check must be able to notice 95 % of swaps.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stance
from stance.scoring import Scorer, StatementRecord
from stance.scoring.statements import statement_record

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[1]
_LEAST_TOLERANCE = 1e-3  # of a probability
_ROUNDED = 1e-5  # probabilities are written with six decimals
_LEAST_NOTICED = 0.95


@dataclass
class _Tally:
    """What the clients saw: what each asked, and the status and body it was answered with."""

    answers: list[tuple[list[dict[str, Any]], int, bytes]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    moved: float = 0.0

    @property
    def statements(self) -> int:
        return sum(len(asked) for asked, _, _ in self.answers)


@dataclass
class _Rate:
    """Statements, and the seconds of the clock and of the processors that they took."""

    statements: int
    took: float
    cpu: float

    @property
    def each(self) -> float:
        """Milliseconds of processor time for a statement."""
        return 1e3 * self.cpu / max(1, self.statements)

    @property
    def rate(self) -> float:
        return self.statements / self.took


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; returns 1 if an answer was wrong or lost or swaps would pass, or the rate is under 80 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--each", type=int, default=1, help="statements in one request")
    options = parser.parse_args(arguments)
    scorer = stance.load()
    records = _records()
    expected = {
        r["id"]: [row.to_dict() for row in rows] for r, rows in zip(records, _alone(scorer, records), strict=True)
    }
    together = scorer.classify_many(map(statement_record, records))
    moved = max(
        _moved([r.to_dict() for r in rows], expected[r["id"]]) for rows, r in zip(together, records, strict=True)
    )
    tolerance = max(_LEAST_TOLERANCE, 2 * moved)
    before = _baseline(scorer, records, options.seconds / 3)
    with _server() as (process, port):
        spent = _cpu_of(process.pid)
        tally, took = asyncio.run(_load(port, records, options))
        spent = _cpu_of(process.pid) - spent
        process.terminate()
        code = process.wait(120)
    after = _baseline(scorer, records, options.seconds / 3)
    thresholds = dict(zip(scorer.labels, scorer.classifier.config.abstain_thresholds(), strict=True))
    _check(tally, expected, tolerance, thresholds)
    noticed = _noticed(list(expected.values()), tolerance)
    print(f"rounding   classify moves by {moved:.4f} at most, serve by {tally.moved:.4f}; {tolerance:.4f} is allowed")
    print(f"swaps      {noticed:.2%} of swapped answers would be noticed, {_LEAST_NOTICED:.0%} must be")
    failed = _report(tally, _Rate(tally.statements, took, spent), (before, after), code, options.clients)
    return int(failed or noticed < _LEAST_NOTICED)


def _report(tally: _Tally, serve: _Rate, baseline: tuple[_Rate, _Rate], code: int, clients: int) -> bool:
    plain, (before, after) = sum(b.rate for b in baseline) / 2, baseline
    waits = sorted(tally.seconds) or [float("nan")]
    print(f"classify   {plain:8.1f} statements/s (before {before.rate:.1f}, after {after.rate:.1f})")
    share = f"{serve.rate / plain:.0%}"
    print(f"serve      {serve.rate:8.1f} statements/s with {clients} clients in {serve.took:.0f} s: {share}")
    print(f"CPU        classify {before.each:.2f} and {after.each:.2f} ms a statement, the server {serve.each:.2f} ms")
    print(f"answers    {len(tally.answers)}, wrong or lost {len(tally.errors)}, server's exit code {code}")
    print(f"latency    median {waits[len(waits) // 2] * 1e3:.0f} ms, 99 % {waits[int(len(waits) * 0.99)] * 1e3:.0f} ms")
    for error in tally.errors[:5]:
        print(f"  {error}")
    return bool(tally.errors) or code != 0 or serve.rate < 0.8 * plain


def _records() -> list[dict[str, Any]]:
    """Return the statements of the example articles and of the example corpus, as requests carry them."""
    found = [
        {"statement": s.text, "speaker": s.speaker.name if s.speaker else None, "context": s.to_dict()["context"]}
        for article in stance.read_articles([_ROOT / "examples" / "articles"])
        for s in stance.extract_statements(article)
    ]
    import datasets

    for part in datasets.load_from_disk(str(_ROOT / "examples" / "corpus")).values():
        found += [{name: row[name] for name in ("statement", "speaker", "context")} for row in part]
    random.Random(0).shuffle(found)
    return [{"id": f"s{i}", **{k: v for k, v in record.items() if v}} for i, record in enumerate(found)]


def _alone(scorer: Scorer, records: list[dict[str, Any]]) -> list[Any]:
    made = map(statement_record, records)
    return [rows for record in made for rows in scorer.classify_many([record])]


def _baseline(scorer: Scorer, records: list[dict[str, Any]], seconds: float) -> _Rate:
    """Measure the loop of ``stance classify``, JSON of the rows included."""
    made: list[StatementRecord] = [statement_record(r) for r in records]
    done, began, spent = 0, time.perf_counter(), time.process_time()
    while (took := time.perf_counter() - began) < seconds:
        for rows in scorer.classify_many(made):
            for row in rows:
                json.dumps(row.to_dict(), ensure_ascii=False)
            done += 1
    return _Rate(done, took, time.process_time() - spent)


def _cpu_of(pid: int) -> float:
    """Return the seconds of processor time that a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _server:  # noqa: N801  # used as a function
    """A server process and the port it listens on."""

    def __enter__(self) -> tuple[subprocess.Popen[str], int]:
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        command = [sys.executable, "-m", "stance.cli", "serve", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        line = self._process.stdout.readline() if self._process.stdout else ""
        match = re.search(r":(\d+) is ready", line)
        if match is None:
            raise RuntimeError(f"the server did not start: {line!r}")
        return self._process, int(match.group(1))

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


async def _load(port: int, records: list[dict[str, Any]], options: argparse.Namespace) -> tuple[_Tally, float]:
    tally, began = _Tally(), time.perf_counter()
    until = began + options.seconds
    clients = (_client(i, port, records, options.each, until, tally) for i in range(options.clients))
    await asyncio.gather(*clients)
    return tally, time.perf_counter() - began


async def _client(
    number: int, port: int, records: list[dict[str, Any]], each: int, until: float, tally: _Tally
) -> None:
    """Send one request after the other over one connection, and keep every answer."""
    chance = random.Random(number)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < until:
            asked = chance.sample(records, each)
            began = time.perf_counter()
            status, body = await _request(reader, writer, json.dumps({"statements": asked}).encode())
            tally.seconds.append(time.perf_counter() - began)
            tally.answers.append((asked, status, body))
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        tally.errors.append(f"client {number}: {type(error).__name__}: {error}")
    finally:
        writer.close()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> tuple[int, bytes]:
    head = "POST /v1/classify HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"content-length: (\d+)", answer)
    if length is None:
        raise ValueError("an answer without its length")
    return int(answer.split(" ", 2)[1]), await reader.readexactly(int(length.group(1)))


def _check(tally: _Tally, expected: dict[str, Any], tolerance: float, thresholds: dict[str, float]) -> None:
    """Add to the tally's errors whatever is wrong with its answers."""
    for asked, status, body in tally.answers:
        if problem := _problem(expected, tolerance, thresholds, tally, asked, status, body):
            tally.errors.append(problem)


def _problem(
    expected: dict[str, Any],
    tolerance: float,
    thresholds: dict[str, float],
    tally: _Tally,
    asked: list[dict[str, Any]],
    status: int,
    body: bytes,
) -> str | None:
    """Return what is wrong with an answer, ``None`` if nothing is."""
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    rows, wanted = json.loads(body)["rows"], [row for record in asked for row in expected[record["id"]]]
    if len(rows) != len(wanted):
        return f"{len(rows)} rows instead of {len(wanted)}"
    for row, other in zip(rows, wanted, strict=True):
        for name, value in other.items():
            if not isinstance(value, float) and row[name] != value and name not in ("label", "abstained"):
                return f"{row['statement_id']}, {name}: {row[name]!r} instead of {value!r}"
        if not _consistent(row, thresholds):
            return f"{row['statement_id']}: label {row['label']}, abstained {row['abstained']} at {row['confidence']}"
    moved = _moved(rows, wanted)
    tally.moved = max(tally.moved, moved)
    return f"{asked[0]['id']}: a probability differs by {moved:.4f}" if moved > tolerance else None


def _consistent(row: dict[str, Any], thresholds: dict[str, float]) -> bool:
    """Tell whether label, confidence and abstention are what the row's own probabilities say."""
    p = {label: row[f"p_{label}"] for label in thresholds}
    best, least = max(p.values()), thresholds[row["label"]]
    abstains = row["abstained"] == (best < least) or abs(best - least) < _ROUNDED
    return abstains and abs(p[row["label"]] - best) < _ROUNDED and abs(row["confidence"] - best) < _ROUNDED


def _moved(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> float:
    """Return the largest difference between the numbers of the same rows."""
    pairs = zip(rows, others, strict=True)
    return max(abs(row[n] - v) for row, other in pairs for n, v in other.items() if isinstance(v, float))


def _noticed(answers: list[list[dict[str, Any]]], tolerance: float) -> float:
    """Return the share of swaps of two answers' probabilities that are larger than the tolerance."""
    others = answers[:]
    random.Random(1).shuffle(others)
    swaps = [_moved(a, b) for a, b in zip(answers, others, strict=True) if a is not b]
    return sum(moved > tolerance for moved in swaps) / len(swaps)


if __name__ == "__main__":
    sys.exit(main())
