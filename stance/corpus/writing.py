"""A `Corpus` to a folder that `datasets` loads, with its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.corpus.card import dataset_card
from stance.corpus.records import Corpus, CorpusRecord, check_corpus
from stance.errors import MissingExtraError, OutputError

if TYPE_CHECKING:
    import datasets

__all__ = ["corpus_features", "write_corpus"]

_TEXT = (
    *("id", "document", "source", "outlet", "published", "article_id", "quotation_id", "quote_type"),
    *("cue", "speaker", "speaker_mention", "speaker_country", "statement", "context"),
)
_NUMBERS = ("start", "end", "speaker_start", "speaker_end")


def corpus_features(labels: Sequence[str], targets: Sequence[str]) -> datasets.Features:
    """Return the `datasets` features of a corpus: text columns, and a struct of one ClassLabel per target.

    Raises
    ------
    MissingExtraError
        If `datasets` is not installed.
    """
    try:
        from datasets import ClassLabel, Features, List, Value
    except ImportError as error:
        raise MissingExtraError("writing a corpus", "datasets") from error
    struct = {target: ClassLabel(names=list(labels)) for target in targets}
    return Features(
        {
            **{name: Value("string") for name in _TEXT},
            **{name: Value("int64") for name in _NUMBERS},
            "labels": struct,
            "annotators": List({"annotator": Value("string"), "labels": dict(struct)}),
        }
    )


def write_corpus(corpus: Corpus, folder: str | Path) -> None:
    """Write a corpus as a `datasets` folder with a dataset card; missing labels are -1.

    Raises
    ------
    CorpusError
        If a record breaks a rule.
    MissingExtraError
        If `datasets` is not installed.
    OutputError
        If the folder cannot be written.
    """
    check_corpus(corpus)
    features = corpus_features(corpus.labels, corpus.targets)
    from datasets import Dataset, DatasetDict

    splits = {
        name: Dataset.from_list([_row(record, corpus) for record in records], features=features)
        for name, records in corpus.splits.items()
    }
    try:
        DatasetDict(splits).save_to_disk(str(folder))
        (Path(folder) / "README.md").write_text(dataset_card(corpus), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: cannot write: {error.strerror or error}") from error


def _row(record: CorpusRecord, corpus: Corpus) -> dict[str, Any]:
    ids = {label: i for i, label in enumerate(corpus.labels)}

    def numbers(labels: Any) -> dict[str, int]:
        return {t: -1 if labels.get(t) is None else ids[labels[t]] for t in corpus.targets}

    s, speaker = record.statement, record.statement.speaker
    return {
        "id": s.id,
        "document": record.document,
        "source": record.source,
        "outlet": record.outlet,
        "published": record.published,
        "article_id": s.article_id,
        "quotation_id": s.quotation_id,
        "quote_type": s.quote_type,
        "cue": s.cue,
        "speaker": speaker.name if speaker else None,
        "speaker_mention": speaker.mention if speaker else None,
        "speaker_country": speaker.country if speaker else None,
        "statement": s.text,
        "context": f"{s.before}⟦{s.text}⟧{s.after}" if s.before or s.after else "",
        "start": s.start,
        "end": s.end,
        "speaker_start": speaker.start if speaker else None,
        "speaker_end": speaker.end if speaker else None,
        "labels": numbers(record.labels),
        "annotators": [{"annotator": who, "labels": numbers(given)} for who, given in record.annotators.items()],
    }
