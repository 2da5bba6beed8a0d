"""Statement records (``id``, ``statement``, and perhaps speaker, context and targets) from files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stance.articles import Notices, Notify, read_any_records
from stance.errors import StatementError, TargetError
from stance.schema import Speaker, Statement, Target, split_context
from stance.targets import resolve_targets

__all__ = ["StatementRecord", "read_statements", "statement_record"]


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """A statement to classify.

    Parameters
    ----------
    statement
        The statement.
    targets
        What to ask about; ``None`` for the scorer's own targets.
    """

    statement: Statement
    targets: tuple[Target, ...] | None = None


def read_statements(
    sources: Iterable[str | Path],
    *,
    on_reject: Notify | None = None,
    on_warn: Notify | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[StatementRecord]:
    """Read statement records one by one, in the order of the sources.

    Parameters
    ----------
    sources
        Files (``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``), datasets folders, or ``-`` for JSONL on standard input.
        A file that ``stance extract`` wrote is one of them.
    on_reject
        Called for each record that is left out; the others go on. If not given, the first one raises.
    on_warn
        Called for each doubt about an input that is read all the same. If not given, it is a Python warning.
    stdin
        Stream that ``-`` stands for.

    Raises
    ------
    StatementError
        At the first bad record, if `on_reject` is not given.
    """
    notices = Notices(on_reject, on_warn, StatementError)
    seen: set[str] = set()
    for source in sources:
        for number, record in read_any_records(source, notices, stdin):
            try:
                made = statement_record(record)
                if made.statement.id in seen:
                    raise StatementError(f"id {made.statement.id!r} was read before", rule="duplicate-id")
            except (StatementError, TargetError) as error:
                problem = error.rejection
                notices.reject(str(source), number, problem.rule, problem.message)
                continue
            seen.add(made.statement.id)
            yield made


def statement_record(record: Mapping[str, Any]) -> StatementRecord:
    """Build a statement from a record.

    Parameters
    ----------
    record
        ``id`` (or ``statement_id``) and ``statement``; optional are ``speaker``, ``context`` (the text around, with
        the statement in it, best marked by ⟦ ⟧), ``targets`` (a list of names, or names separated by commas) and the
        other columns that ``stance extract`` writes.

    Raises
    ------
    StatementError
        If id or statement is missing or empty, or a value has the wrong type; the message names the rule.
    TargetError
        If the targets cannot be read.
    """
    own_id = record.get("id", record.get("statement_id"))
    if own_id is None or not str(own_id).strip():
        raise StatementError("needs an 'id'", rule="missing-id")
    text = record.get("statement")
    if not isinstance(text, str) or not text.strip():
        raise StatementError("needs a 'statement' that is not empty", rule="missing-statement")
    before, after = split_context(_text(record, "context"), text)
    start = _offset(record, "start", 0)
    kind = _text(record, "quote_type")
    if kind not in (None, "direct", "indirect", "mixed"):
        raise StatementError(f"quote_type {kind!r} is not direct, indirect or mixed", rule="quote-type")
    statement = Statement(
        id=str(own_id),
        text=text,
        start=start,
        end=_offset(record, "end", start + len(text)),
        quotation_id=_text(record, "quotation_id") or str(own_id),
        quote_type=kind,  # type: ignore[arg-type]  # checked above
        cue=_text(record, "cue"),
        speaker=_speaker(record),
        before=before,
        after=after,
        article_id=_text(record, "article_id") or "",
    )
    return StatementRecord(statement, _targets(record.get("targets")))


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise StatementError(f"{name!r} must be text, found {type(value).__name__}", rule=f"{name}-type")
    return value


def _offset(record: Mapping[str, Any], name: str, default: int) -> int:
    value = record.get(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise StatementError(f"{name!r} must be a whole number, found {value!r}", rule=f"{name}-type") from error


def _speaker(record: Mapping[str, Any]) -> Speaker | None:
    name, mention = _text(record, "speaker"), _text(record, "speaker_mention")
    if name is None and mention is None:
        return None
    return Speaker(name or mention or "", mention or name or "", country=_text(record, "speaker_country"))


def _targets(value: Any) -> tuple[Target, ...] | None:
    if value is None or value == "" or value == []:
        return None
    if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        raise StatementError("'targets' must be a list of names", rule="targets-type")
    return resolve_targets(value)
