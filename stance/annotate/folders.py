"""Exports that are folders of files: written anew without leaving anything of the last one behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from stance.corpus.records import ADJUDICATOR, SECOND_LOOK
from stance.errors import OutputError

__all__ = ["as_path", "from_path", "write_folder"]

_IN_PATHS = {prefix: prefix.replace(":", "=") for prefix in (ADJUDICATOR, SECOND_LOOK)}
"""Prefixes as a file may be called: their colon is none that Windows allows."""
_LIST = "stance-export.json"
"""Names the files of an export, so that the next one can take them away."""


def write_folder(place: Path, files: Mapping[str, str]) -> None:
    """Write files by relative name into a new or empty folder, or one that was written by this.

    A file of the last export that the new one lacks is removed: on import it would count.

    Raises
    ------
    OutputError
        If the folder holds what is not of an export.
    OSError
        If it cannot be written.
    """
    written = _files_of(place)
    if written is None and place.is_dir() and any(place.iterdir()):
        raise OutputError(f"{place}: holds other files; name a new or empty folder, or one of an earlier export")
    for old in (place / name for name in (written or []) if name not in files):
        old.unlink(missing_ok=True)
        if old.parent != place and old.parent.is_dir() and not any(old.parent.iterdir()):
            old.parent.rmdir()
    place.mkdir(parents=True, exist_ok=True)
    (place / _LIST).write_text(json.dumps({"files": sorted(files)}, ensure_ascii=False, indent=1), encoding="utf-8")
    for name, text in files.items():
        target = place / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")


def _files_of(place: Path) -> list[str] | None:
    """Return what an earlier export wrote, ``None`` where there was none; names that lead outside are passed over."""
    try:
        names = json.loads((place / _LIST).read_text(encoding="utf-8"))["files"]
        inside = place.resolve()
        return [name for name in names if (place / name).resolve().is_relative_to(inside)]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def as_path(name: str) -> str:
    """Return an annotator's name as a file may be called."""
    for prefix, written in _IN_PATHS.items():
        name = name.replace(prefix, written)
    return name


def from_path(name: str) -> str:
    """Return the annotator's name that `as_path` made a file's name of."""
    for prefix, written in _IN_PATHS.items():
        name = name.replace(written, prefix)
    return name
