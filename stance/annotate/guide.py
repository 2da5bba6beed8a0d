"""The guide beside the labels."""

from __future__ import annotations

from html import escape
from pathlib import Path

from stance.annotate.project import guide_html
from stance.schema import LABELS

__all__ = ["guide_of"]


def guide_of(labels: tuple[str, ...], path: str | Path | None = None) -> str:
    """Return the guide of a label set as HTML: that of a file, the shipped one for its own labels, else their names.

    Parameters
    ----------
    labels
        Label set of the project.
    path
        A guide in Markdown, as `stance.annotate.project.guide_html` reads it.
    """
    if path is not None or set(labels) == set(LABELS):
        return guide_html(path)
    names = "".join(f"<li><strong>{escape(label.replace('_', ' '))}</strong></li>" for label in labels)
    return f"<p>Give each target exactly one label:</p><ul>{names}</ul>"
