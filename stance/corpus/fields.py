"""A raw record (a dictionary as it stands in a file) to its parts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from stance.errors import CorpusError
from stance.schema import Speaker, Statement, split_context

__all__ = ["UNDECLARED", "label_name", "raw_annotators", "raw_labels", "statement_of", "text_of"]

_PREFIX = "label_"
_NO_LABEL = -1  # what `datasets` writes for a ClassLabel nobody gave
UNDECLARED = "label-below-zero"
"""Rule that a number under 0 breaks where no ClassLabel says what it is."""


def text_of(record: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of some columns that holds text; dates and numbers are written out.

    Raises
    ------
    CorpusError
        If it holds anything else.
    """
    for name in names:
        value = record.get(name)
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            continue
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise CorpusError(f"{name!r} must be text, found {type(value).__name__}", rule=f"{name}-type")
    return None


def statement_of(record: Mapping[str, Any]) -> Statement:
    """Build the statement of a record.

    Raises
    ------
    CorpusError
        If id or statement is missing, or a value has the wrong type.
    """
    own_id = text_of(record, "id", "statement_id")
    if own_id is None or not own_id.strip():
        raise CorpusError("needs an 'id'", rule="missing-id")
    text = record.get("statement")
    if not isinstance(text, str) or not text.strip():
        raise CorpusError("needs a 'statement' that is not empty", rule="missing-statement")
    before, after = split_context(text_of(record, "context"), text)
    kind = text_of(record, "quote_type")
    if kind not in (None, "direct", "indirect", "mixed"):
        raise CorpusError(f"quote_type {kind!r} is not direct, indirect or mixed", rule="quote-type")
    start = _offset(record, "start")
    end = _offset(record, "end")
    start = 0 if start is None else start
    return Statement(
        id=own_id,
        text=text,
        start=start,
        end=start + len(text) if end is None else end,
        quotation_id=text_of(record, "quotation_id") or own_id,
        quote_type=kind,  # type: ignore[arg-type]  # checked above
        cue=text_of(record, "cue"),
        speaker=_speaker(record),
        before=before,
        after=after,
        article_id=text_of(record, "article_id") or "",
    )


def _speaker(record: Mapping[str, Any]) -> Speaker | None:
    name, mention = text_of(record, "speaker"), text_of(record, "speaker_mention")
    if name is None and mention is None:
        return None
    return Speaker(
        name or mention or "",
        mention or name or "",
        start=_offset(record, "speaker_start"),
        end=_offset(record, "speaker_end"),
        country=text_of(record, "speaker_country"),
    )


def _offset(record: Mapping[str, Any], name: str) -> int | None:
    value = record.get(name)
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{name!r} must be a whole number, found {value!r}", rule=f"{name}-type") from error
    if number < 0:
        raise CorpusError(f"{name!r} must not be negative, found {number}", rule=f"{name}-type")
    return number


def raw_labels(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the label values of a record by target, as they stand there.

    They are in the column ``labels`` (a mapping, or JSON of one) or in columns ``label_<target>``.

    Raises
    ------
    CorpusError
        If ``labels`` is no mapping.
    """
    found = {name[len(_PREFIX) :]: value for name, value in record.items() if name.startswith(_PREFIX)}
    return found | _mapping(record.get("labels"), "labels")


def raw_annotators(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the label values by annotator and target; the column may also be called ``readers``.

    Raises
    ------
    CorpusError
        If the column neither maps annotators to their labels nor is a list of entries with both.
    """
    value = record.get("annotators", record.get("readers"))
    if isinstance(value, str) and value.strip().startswith("["):
        value = _json(value, "annotators")
    if isinstance(value, list):
        try:
            return {str(entry["annotator"]): _mapping(entry["labels"], "annotators") for entry in value}
        except (TypeError, KeyError) as error:
            message = "'annotators' as a list needs entries with 'annotator' and 'labels'"
            raise CorpusError(message, rule="annotators-type") from error
    by_name = _mapping(value, "annotators")
    return {who: _mapping(labels, "annotators") for who, labels in by_name.items() if labels is not None}


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        value = _json(value, name)
    if not isinstance(value, dict):
        message = f"{name!r} must map each target to its label, found {type(value).__name__}"
        raise CorpusError(message, rule=f"{name}-type")
    return {str(key): item for key, item in value.items()}


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CorpusError(f"{name!r} is not JSON: {error}", rule=f"{name}-type") from error


def label_name(value: Any, target: str, names: Sequence[str] | None, *, declared: bool = False) -> str | None:
    """Return the name of a label value, ``None`` where there is no label (empty, null, or -1 of a ClassLabel).

    Parameters
    ----------
    value
        A name, or the number of a ClassLabel.
    target
        For the message.
    names
        What the numbers stand for; ``None`` where nothing tells.
    declared
        Whether the names are those of a ClassLabel of the file.

    Raises
    ------
    CorpusError
        If the value is neither, or a number out of range; its rule is `UNDECLARED` for a number under 0 that is not of
        a ClassLabel, which may be a missing label or a point of a scale such as -1, 0, 1.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        text = value.strip()
        if not text.lstrip("-").isdigit() or (names is not None and text in names):
            return text or None
        value = int(text)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CorpusError(f"label {value!r} for {target!r} is neither a name nor a number", rule="label-type")
    if value == _NO_LABEL and declared:
        return None
    if value < 0 and not declared:
        message = f"label {value} for {target!r}: numbers count the label set from 0, and -1 is missing in a ClassLabel"
        raise CorpusError(f"{message} only; write labels as names, and nothing where one is missing", rule=UNDECLARED)
    if names is None:
        message = f"label {value} for {target!r} is a number and the file does not say what it stands for; give labels"
        raise CorpusError(message, rule="label-number")
    if not 0 <= value < len(names):
        raise CorpusError(f"label {value} for {target!r} is not from 0 to {len(names) - 1}", rule="label-number")
    return names[value]
