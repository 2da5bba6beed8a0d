"""BASIL: spans of bias in 300 news articles, each with whom it touches and, in quotations, who speaks.

Fan et al. 2019, "In Plain Sight: Media Bias Through the Lens of Factual Reporting", EMNLP-IJCNLP. Three outlets report
each of 100 events. A span's polarity says in which light it puts its target; inside a quotation it is taken as the
speaker's side, unless the speaker is the target: then a span puts someone in a bad light by his own words. Only spans
that name their target are read (``aim`` is ``dir``), not those that reach it by an ally or an opponent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stance.learning import Example
from stance.schema import Speaker, Statement

__all__ = ["LABEL_OF", "read"]

LABEL_OF = {"neg": "against", "pos": "favor"}
_UNNAMED = "other_"  # other_anti, other_pro, other_neutral: a speaker who is none of the main entities
_CONTEXT = 300  # characters of the article shown on each side of a span


def read(data: Path) -> Iterator[Example]:
    """Yield the stance of each quoted span's speaker toward its target; the document is the event.

    Parameters
    ----------
    data
        Folder of the corpora.

    Raises
    ------
    ValueError
        If a span's text does not stand where its offsets say; names the file.
    """
    for path in sorted((data / "basil" / "annotations").glob("*/*_ann.json")):
        name = path.stem.removesuffix("_ann")  # the event, and which of its three articles
        article = data / "basil" / "articles" / path.parent.name / f"{name}.json"
        sentences = _sentences(json.loads(article.read_text(encoding="utf-8")))
        for span in json.loads(path.read_text(encoding="utf-8"))["phrase-level-annotations"]:
            if span["quote"] == "yes" and span["aim"] == "dir" and span["speaker"] != span["target"]:
                if sentences.get(span["id"], "")[span["start"] : span["end"]] != span["txt"]:
                    raise ValueError(f"{path}: span {span['id']} {span['start']}-{span['end']} has another text there")
                yield _example(span, sentences, name)


def _sentences(article: dict[str, Any]) -> dict[str, str]:
    """Return the title and the sentences of an article by the ids that spans name them by."""
    body = [sentence for paragraph in article["body-paragraphs"] for sentence in paragraph]
    return {"title": article["title"], **{f"p{i}": sentence for i, sentence in enumerate(body)}}


def _example(span: dict[str, Any], sentences: dict[str, str], article: str) -> Example:
    order = list(sentences)
    place, sentence = order.index(span["id"]), sentences[span["id"]]
    before = " ".join([*(sentences[i] for i in order[1:place]), sentence[: span["start"]]])
    after = " ".join([sentence[span["end"] :], *(sentences[i] for i in order[place + 1 :] if place)])
    name = "" if span["speaker"].startswith(_UNNAMED) else _words(span["speaker"])
    statement = Statement(
        id=f"basil:{article}:{span['id']}:{span['start']}-{span['end']}",
        text=span["txt"],
        speaker=Speaker(name, name) if name else None,
        before=before[-_CONTEXT:],
        after=after[:_CONTEXT],
    )
    labels = {_words(span["target"]): LABEL_OF[span["polarity"]]}
    return Example(statement, labels, corpus="basil", document=article.rpartition("_")[0])


def _words(name: str) -> str:
    return name.replace("_", " ").strip()
