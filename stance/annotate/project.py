"""From what a user names to an open project: corpus, store, guide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stance.annotate.store import Store
from stance.annotate.syncing import Synced, sync
from stance.corpus import Corpus, CorpusRecord, read_corpus
from stance.errors import AnnotationError, CorpusError
from stance.schema import LABELS, Article
from stance.targets import default_targets

__all__ = ["Project", "guide_html", "open_project", "store_path", "unlabelled"]


@dataclass(frozen=True, slots=True)
class Project:
    """An open project.

    Parameters
    ----------
    store
        Its store.
    corpus
        The corpus as it is on disk.
    added
        Statements that were new to the store; all of them for a new store.
    queued
        How many statements are to be labelled.
    notes
        What else differs between corpus and store, in words.
    """

    store: Store
    corpus: Corpus
    added: int
    queued: int
    notes: tuple[str, ...] = ()


def store_path(corpus: str | Path) -> Path:
    """Return where the store of a corpus is kept unless the user says otherwise: beside the corpus."""
    place = Path(corpus)
    return place.with_name(f"{place.name}.annotations.db")


def open_project(
    corpus: str | Path,
    *,
    store: str | Path | None = None,
    labels: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    articles: str | Path | None = None,
    everything: bool = False,
) -> Project:
    """Open the store of a corpus, or make it.

    Parameters
    ----------
    corpus
        What `stance.corpus.read_corpus` reads, labelled or not; a file that ``stance extract`` wrote is one.
    store
        Store file; `store_path` if not given.
    labels, targets
        Label set and targets; those of the corpus if not given, and where it has none, the project's four labels and
        the four default targets.
    articles
        Articles whose whole text is shown around their statements (joined by ``article_id``).
    everything
        Queue also the statements that have all their labels. If none lacks a label when the store is made, all are
        queued in any case. What is queued stays so.

    Raises
    ------
    CorpusError
        If the corpus cannot be read.
    AnnotationError
        If the store is of another corpus, or cannot be made.
    """
    read = _read(corpus, labels, targets)
    if articles is not None:
        read = _with_articles(read, articles)
    place = Path(store) if store is not None else store_path(corpus)
    wanted = None if everything else unlabelled(read)
    if place.exists():
        opened = Store(place)
        synced = sync(opened, read, queued=wanted)
    else:
        opened = Store.create(place, read, queued=wanted or None)
        synced = Synced(len(read), 0, 0, 0)
    return Project(opened, read, synced.added, sum(item.queued for item in opened.items()), _notes(synced))


def _notes(synced: Synced) -> tuple[str, ...]:
    found = (
        (synced.updated, "known statements have other labels, context or split in the corpus now: taken over"),
        (synced.gone, "statements are no longer in the corpus: nobody is asked for them, their labels are kept"),
        (synced.kept, "labels of annotators are others in the corpus than in the store: the store's count"),
    )
    return tuple(f"{count} {what}" for count, what in found if count)


def unlabelled(corpus: Corpus) -> list[str]:
    """Return the ids of the records that lack the label of some target."""
    return [r.id for r in corpus.records if any(r.labels.get(t) is None for t in corpus.targets)]


def _read(path: str | Path, labels: Sequence[str] | None, targets: Sequence[str] | None) -> Corpus:
    try:
        return read_corpus(path, labels=labels, targets=targets)
    except CorpusError as error:
        if error.rejection.rule != "no-label":
            raise
    names = [target.name for target in default_targets()]
    return read_corpus(path, labels=labels or LABELS, targets=names)


def _with_articles(corpus: Corpus, path: str | Path) -> Corpus:
    from stance.articles import read_articles

    wanted = {record.statement.article_id for record in corpus.records} - {""}
    found = {article.id: article for article in read_articles([str(path)]) if article.id in wanted}
    splits = {
        name: tuple(_in_article(record, found.get(record.statement.article_id)) for record in records)
        for name, records in corpus.splits.items()
    }
    return replace(corpus, splits=splits)


def _in_article(record: CorpusRecord, article: Article | None) -> CorpusRecord:
    if article is None:
        return record
    s = record.statement
    if article.text[s.start : s.end] != s.text:
        message = f"statement {s.id!r} is not at {s.start}–{s.end} of article {article.id!r}"
        raise AnnotationError(message, file="articles", rule="offsets")
    statement = replace(s, before=article.text[: s.start], after=article.text[s.end :])
    return replace(record, statement=statement, outlet=record.outlet or article.outlet)


def guide_html(path: str | Path | None = None) -> str:
    """Return a guide in Markdown (or plain text) as HTML; HTML in it is shown as text, and no link can run script.

    Parameters
    ----------
    path
        The guide; the short one that ships with the package if not given.

    Raises
    ------
    AnnotationError
        If the file cannot be read.
    """
    from markdown_it import MarkdownIt

    place = Path(path) if path is not None else Path(__file__).with_name("guide.md")
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f"cannot read the guide: {error}", file=str(place), rule="guide") from error
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").disable("image").render(text))
