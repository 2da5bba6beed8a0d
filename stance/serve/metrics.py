"""Counters of the server, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Iterable, Sequence
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from stance import __version__
from stance.schema import StanceRow

__all__ = ["METRICS_TYPE", "Metrics"]

METRICS_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_STATEMENTS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """All counters of one server, in a registry of its own.

    Parameters
    ----------
    model
        Name and content hash of the model.
    labels
        Its label names.
    """

    def __init__(self, model: str, labels: Iterable[str]) -> None:
        self.registry = registry = CollectorRegistry()
        info = Gauge("stance_info", "Version and model, always 1", ["version", "model"], registry=registry)
        info.labels(__version__, model).set(1)
        self.requests = Counter(
            "stance_http_requests", "Requests answered", ["method", "path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "stance_http_request_seconds", "Time to answer", ["path"], buckets=_SECONDS, registry=registry
        )
        self.in_flight = Gauge("stance_http_requests_in_flight", "Requests being answered", registry=registry)
        self.refused = Counter("stance_refused_requests", "Requests refused, by rule", ["rule"], registry=registry)
        self.statements = Counter("stance_statements", "Statements scored", registry=registry)
        self.rows = Counter("stance_rows", "Rows by label", ["label"], registry=registry)
        self.abstained = Counter("stance_rows_abstained", "Rows the model abstains from", registry=registry)
        self.waiting = Gauge("stance_statements_waiting", "Statements waiting for the model", registry=registry)
        self.batch = Histogram(
            "stance_batch_statements", "Statements scored in one go", buckets=_STATEMENTS, registry=registry
        )
        self.wait = Histogram(
            "stance_wait_seconds", "Time a statement waits for the model", buckets=_SECONDS, registry=registry
        )
        self.model_seconds = Counter("stance_model_seconds", "Time the model was at work", registry=registry)
        self._of_label = {label: self.rows.labels(label) for label in labels}

    def observe(self, method: str, path: str, status: int, started: float) -> None:
        """Count an answered request.

        Parameters
        ----------
        method, path, status
            Of the request and its answer; `path` must be one of few.
        started
            `time.perf_counter` when the request came.
        """
        self.requests.labels(method, path, str(status)).inc()
        self.seconds.labels(path).observe(perf_counter() - started)

    def count_batch(self, results: Sequence[Sequence[StanceRow]], waits: Iterable[float], seconds: float) -> None:
        """Count a batch that was scored.

        Parameters
        ----------
        results
            The rows of each statement.
        waits
            Seconds that each statement waited.
        seconds
            Time the model was at work.
        """
        rows = [row for of_statement in results for row in of_statement]
        for label, count in Counted(row.label for row in rows).items():
            self._of_label[label].inc(count)
        self.abstained.inc(sum(row.abstained for row in rows))
        self.statements.inc(len(results))
        self.batch.observe(len(results))
        self.model_seconds.inc(seconds)
        for wait in waits:
            self.wait.observe(wait)

    def text(self) -> bytes:
        """Return the present values for Prometheus to scrape."""
        return generate_latest(self.registry)
