"""A finished evaluation to its folder."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from stance.errors import MissingExtraError, OutputError
from stance.evaluation.card import model_card
from stance.evaluation.metrics_file import metrics
from stance.evaluation.page import page
from stance.evaluation.plots import write_plots
from stance.evaluation.result import Evaluation
from stance.evaluation.show import paper_tables
from stance.schema import rows_schema

__all__ = ["check_folder", "write_report"]

_NOT_ALWAYS = ("calibration", "end_to_end", "reliability", "risk_coverage")
"""Plots and tables that only a system with probabilities, or a corpus of whole articles, has."""


def check_folder(folder: str | Path) -> None:
    """Check that a report could be written to a folder, before any work is done.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If Matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("the plots of a report", "report")
    place = Path(folder)
    made = [path for path in (place, *place.parents) if not path.exists()]
    try:
        place.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=place).close()
        for path in made:
            path.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: cannot write: {error.strerror or error}") from error


def write_report(result: Evaluation, folder: str | Path, *, text: bool = True) -> list[Path]:
    """Write ``report.html``, ``metrics.json``, ``predictions.parquet``, ``MODEL_CARD.md``, ``plots/`` and ``tables/``.

    Parameters
    ----------
    result
        The evaluation.
    folder
        Created if it does not exist; files of an older report are replaced.
    text
        Whether words of the corpus may be written: statements, speakers, context.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If Matplotlib is not installed.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        written = [
            _text(place / "report.html", page(result, text=text)),
            _text(place / "metrics.json", json.dumps(metrics(result), indent=1, ensure_ascii=False, allow_nan=False)),
            _text(place / "MODEL_CARD.md", model_card(result)),
            _predictions(result, place / "predictions.parquet", text),
        ]
        (place / "tables").mkdir(exist_ok=True)
        for name, table in paper_tables(result).items():
            written.append(_text(place / "tables" / f"{name}.tex", table.latex()))
            written.append(_text(place / "tables" / f"{name}.md", table.markdown()))
        written += write_plots(result, place / "plots")
        for path in (*(place / "plots").iterdir(), *(place / "tables").iterdir()):
            if path.stem in _NOT_ALWAYS and path not in written:  # of an older report
                path.unlink()
        return written
    except OSError as error:
        raise OutputError(f"{folder}: cannot write: {error.strerror or error}") from error


def _text(path: Path, text: str) -> Path:
    path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    return path


def _predictions(result: Evaluation, path: Path, text: bool) -> Path:
    """Write the row contract of the model's answers, with the gold label as a further column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = rows_schema(result.items.labels).append(pa.field("gold", pa.string()))
    rows = [_row(result, i, text) for i in range(len(result.items))]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")
    return path


def _row(result: Evaluation, item: int, text: bool) -> dict[str, Any]:
    items, p = result.items, result.model.predictions
    record = items.records[items.record[item]]
    s, speaker = record.statement, record.statement.speaker
    row: dict[str, Any] = {
        "article_id": s.article_id or record.document,
        "outlet": record.outlet,
        "published": record.published,
        "statement_id": s.id,
        "quotation_id": s.quotation_id,
        "start": s.start,
        "end": s.end,
        "quote_type": s.quote_type,
        "statement": s.text if text else None,
        "cue": s.cue if text else None,
        "speaker": speaker.name if speaker and text else None,
        "speaker_mention": speaker.mention if speaker and text else None,
        "speaker_country": speaker.country if speaker else None,
        "target": items.targets[items.target[item]],
        "label": items.labels[p.predicted[item]],
        "confidence": None,
        "abstained": bool(p.abstained[item]),
        "truncated": bool(p.truncated[item]),
        "model": p.name,
        "gold": items.labels[items.gold[item]],
    }
    if p.probabilities is not None:
        row |= {f"p_{label}": float(p.probabilities[item, j]) for j, label in enumerate(items.labels)}
        row["confidence"] = float(p.probabilities[item].max())
    return row
