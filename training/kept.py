"""Results of measurements that take hours, each kept in a file beside the commands, for `training.evaluate` to print.

A file says when and with which settings it was measured, from which weights, and on which items (hashes); it holds no
text. One that was measured with other settings is overwritten only when asked to, so that a short trial does not take
the place of a long run; one of other weights or items is stale, and is said to be.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "Kept", "add_options", "check_settings", "keep", "recall", "so_far"]

FOLDER = Path(__file__).resolve().parent
"""Where results are kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A result that was kept, or why there is none.

    Parameters
    ----------
    results
        What the command found; nothing if it was not run.
    note
        When, with what and from what it was measured, and whether it is stale or absent.
    same_items
        Whether it was measured on the items that it is to be shown beside.
    """

    results: Mapping[str, Any] | None
    note: str
    same_items: bool


def add_options(parser: argparse.ArgumentParser, path: Path | None) -> None:
    """Give a command the options that say where its result is kept; without a path the command itself has to choose."""
    parser.add_argument("-o", "--output", type=Path, default=path, help="file that keeps the result")
    parser.add_argument("--replace", action="store_true", help="overwrite what is kept there, and begin anew")


def check_settings(arguments: argparse.Namespace, settings: Mapping[str, Any]) -> None:
    """End the command, before anything is trained, if its file keeps a result of other settings.

    Raises
    ------
    SystemExit
        If it does and ``--replace`` was not said.
    """
    if arguments.replace or not arguments.output.is_file():
        return
    before = json.loads(arguments.output.read_text(encoding="utf-8"))["settings"]
    if before != json.loads(json.dumps(settings)):
        raise SystemExit(
            f"{arguments.output} keeps a result with {_told(before)}; this run has {_told(settings)}. "
            "Say --replace to overwrite it, or -o FILE to keep both"
        )


def keep(
    path: Path, results: Mapping[str, Any], *, settings: Mapping[str, Any], start: str, items: Mapping[str, str]
) -> None:
    """Write a result.

    Parameters
    ----------
    path
        The file.
    results
        Figures, or label ids.
    settings
        What the command was told.
    start
        The weights it started from: a model's id, or `training.plain.start`.
    items
        Hashes of the held-out items by name (`training.tasks.corpus_hash`).
    """
    record = {"measured": date.today().isoformat(), "start": start, "settings": settings, "items": items}
    path.write_text(json.dumps(record | {"results": results}) + "\n", encoding="utf-8")


def so_far(
    arguments: argparse.Namespace, *, settings: Mapping[str, Any], start: str, items: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a run that was broken off has found, to go on from; the parameters are those of `keep`.

    Nothing if it had other settings, weights or items, or if ``--replace`` was said.
    """
    if arguments.replace or not arguments.output.is_file():
        return {}
    record = json.loads(arguments.output.read_text(encoding="utf-8"))
    wanted = json.loads(json.dumps({"settings": settings, "start": start, "items": items}))
    return dict(record["results"]) if all(record[name] == value for name, value in wanted.items()) else {}


def recall(path: Path, *, start: str, items: Mapping[str, str], command: str | None = None) -> Kept:
    """Read a result and hold it against the weights and items of today.

    Parameters
    ----------
    path, start, items
        As for `keep`.
    command
        What to say makes the file, if that is not the command of the file's name.
    """
    command = f"python -m training.{command or path.stem}"
    if not path.is_file():
        return Kept(None, f"Not measured: there is no {path.name}; {command} makes it.", False)
    record = json.loads(path.read_text(encoding="utf-8"))
    said = f"Measured {record['measured']} with {_told(record['settings'])}, from {record['start']}."
    other = [name for name, digest in items.items() if record["items"].get(name) != digest]
    stale = [f"other items of {name} than today's" for name in other]
    if record["start"] != start:
        stale.insert(0, f"not from {start}")
    if stale:
        said = f"STALE, {' and '.join(stale)}; run {command} again. {said}"
    return Kept(record["results"], said, not other)


def _told(settings: Mapping[str, Any]) -> str:
    told = {name: " ".join(map(str, x)) if isinstance(x, list | tuple) else x for name, x in settings.items()}
    return ", ".join(f"{name} {value}" for name, value in told.items())
