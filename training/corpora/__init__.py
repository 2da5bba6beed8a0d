"""Readers of the public corpora: one module each, all returning `stance.learning.Example`s.

The corpora themselves are not part of the project; `data_folder` says where they are looked for.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["data_folder"]


def data_folder() -> Path:
    """Return the folder of the corpora: ``$STANCE_DATA``, or ``../shared/data`` beside the repository.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("STANCE_DATA", default))
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no corpora there; set STANCE_DATA to their folder")
    return folder
