"""A loaded quotation tagger: articles in, labelled spans and their links out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stance.errors import ModelError
from stance.quotes.decoding import Reading, cues_of, link, spans_of, viterbi
from stance.quotes.network import TAGS, QuoteNetwork
from stance.quotes.storage import check_words, content_hash, read_folder, word_embeddings, write_folder
from stance.quotes.windows import CLS, PAD, SEP, Tokens, Window, article_tokens, article_windows

__all__ = ["QuoteTagger", "shipped_tagger"]

_TOKENS_PER_BATCH = 4096


def shipped_tagger() -> Path:
    """Return the folder of the tagger that ships inside the package."""
    return Path(str(files("stance") / "quotes" / "weights" / "quote-minilm"))


@dataclass(frozen=True, slots=True)
class _Job:
    article: int
    window: Window


class QuoteTagger:
    """Network, tokenizer and thresholds together."""

    def __init__(
        self, network: QuoteNetwork, tokenizer: Tokenizer, config: Mapping[str, Any], *, content: str = "unsaved"
    ) -> None:
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.config = dict(config)
        self.content_hash = content

    @property
    def id(self) -> str:
        """Name and content hash."""
        return f"{self.config['name']}@{self.content_hash}"

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None, *, words_from: str | Path | None = None) -> Self:
        """Load a tagger.

        Parameters
        ----------
        folder
            Folder of the tagger; the shipped one if not given.
        words_from
            Folder of the model that holds the word embeddings; the shipped stance model if not given.

        Raises
        ------
        ModelError
            If a folder is missing or damaged, or the embeddings are not those of the tagger's training.
        """
        path = Path(folder) if folder is not None else shipped_tagger()
        state, probe, config = read_folder(path)
        if words_from is None:
            words_from = Path(str(files("stance") / "model" / "weights" / "stance-minilm"))
        words = word_embeddings(words_from)
        check_words(words, probe, words_from)
        try:
            network = QuoteNetwork(words, **config["size"])
            network.load_state_dict(state)
            tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        except (KeyError, TypeError, RuntimeError) as error:
            raise ModelError(f"{path}: damaged quotation tagger: {error}") from error
        return cls(network, tokenizer, config, content=content_hash(path))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the tagger's folder."""
        config = self.config | {"size": self.network.size}
        words = self.network.words
        write_folder(folder, self.network.state_dict(), words, config, self.tokenizer.to_str())
        self.content_hash = content_hash(folder)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Find sources, cues and contents of several texts at once, and which belong together."""
        articles = [article_tokens(text, self.tokenizer) for text in texts]
        vectors, emissions, jobs = self._encode(articles)
        moves = self.network.moves().detach().numpy()
        readings = []
        for i, tokens in enumerate(articles):
            tags = viterbi(emissions[i], moves, tokens.paragraph)
            mine = [(job.window, vectors[j]) for j, job in enumerate(jobs) if job.article == i]
            readings.append(self._linked(tokens, tags, mine))
        return readings

    def _encode(self, articles: Sequence[Tokens]) -> tuple[list[torch.Tensor], list[NDArray[np.float32]], list[_Job]]:
        jobs = [_Job(i, w) for i, tokens in enumerate(articles) for w in article_windows(tokens)]
        vectors: list[torch.Tensor] = [torch.empty(0)] * len(jobs)
        emissions = [np.zeros((len(tokens), len(TAGS)), dtype=np.float32) for tokens in articles]
        for batch in _batches(jobs):
            width = max(jobs[j].window.high - jobs[j].window.low for j in batch) + 2
            ids = np.full((len(batch), width), PAD, dtype=np.int64)
            shapes = np.zeros_like(ids)
            for row, j in enumerate(batch):
                tokens, w = articles[jobs[j].article], jobs[j].window
                n = w.high - w.low
                ids[row, 0], ids[row, n + 1] = CLS, SEP
                ids[row, 1 : n + 1], shapes[row, 1 : n + 1] = tokens.ids[w.low : w.high], tokens.shape[w.low : w.high]
            mask = None if (ids != PAD).all() else torch.from_numpy(ids != PAD)
            with torch.inference_mode():
                hidden = self.network.encode(torch.from_numpy(ids), torch.from_numpy(shapes), mask)
                scores = self.network.emissions(hidden).numpy()
            for row, j in enumerate(batch):
                w = jobs[j].window
                vectors[j] = hidden[row, 1 : w.high - w.low + 1]
                own = slice(1 + w.first - w.low, 1 + w.last - w.low)
                emissions[jobs[j].article][w.first : w.last] = scores[row, own]
        return vectors, emissions, jobs

    def _linked(
        self, tokens: Tokens, tags: NDArray[np.int64], windows: Sequence[tuple[Window, torch.Tensor]]
    ) -> Reading:
        spans = spans_of(tags, tokens)
        cues = cues_of(spans)
        scores: list[tuple[int, NDArray[np.float32]]] = [(0, np.empty((0, 3), dtype=np.float32))] * len(cues)
        for window, hidden in windows:
            here = [c for c, (a, _) in enumerate(cues) if window.first <= a < window.last]
            if not here:
                continue
            share = np.zeros((len(here), len(hidden)), dtype=np.float32)
            for row, c in enumerate(here):
                a, b = cues[c][0] - window.low, min(cues[c][1], window.high) - window.low
                share[row, a:b] = 1 / (b - a)
            centres = (share * np.arange(len(hidden))).sum(1).round().astype(np.int64)
            with torch.inference_mode():
                found = self.network.roles(
                    hidden[None],
                    torch.zeros(len(here), dtype=torch.int64),
                    torch.from_numpy(share),
                    torch.from_numpy(centres),
                )
                logs = torch.log_softmax(found, dim=-1).numpy()
            for row, c in enumerate(here):
                scores[c] = (window.low, logs[row])
        return Reading(tokens, tags, spans, link(spans, cues, scores, self.config.get("thresholds", {})))


def _batches(jobs: Sequence[_Job]) -> Iterator[list[int]]:
    """Yield windows sorted by length, as many to a batch as its padded tokens allow."""
    sizes = [job.window.high - job.window.low + 2 for job in jobs]
    order = sorted(range(len(jobs)), key=lambda j: -sizes[j])
    at = 0
    while at < len(order):
        step = max(1, _TOKENS_PER_BATCH // sizes[order[at]])
        yield order[at : at + step]
        at += step
