"""A loaded quotation tagger: articles in, labelled spans and their links out."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stance.errors import ModelError
from stance.quotes.decoding import Reading, cues_of, link, spans_of, viterbi
from stance.quotes.inference import Precision, QuoteEncoder, chosen_precision
from stance.quotes.int8 import Ranges
from stance.quotes.network import ROLES, TAGS, QuoteNetwork
from stance.quotes.storage import check_words, content_hash, read_folder, word_embeddings, write_folder
from stance.quotes.windows import CLS, SEP, Tokens, Window, article_tokens, article_windows

__all__ = ["QuoteTagger", "shipped_tagger"]

_TOKENS_PER_BATCH = 4096
T = TypeVar("T")
U = TypeVar("U")


def shipped_tagger() -> Path:
    """Return the folder of the tagger that ships inside the package."""
    return Path(str(files("stance") / "quotes" / "weights" / "quote-minilm"))


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A text's tokens, their tag scores ``(tokens, tags)``, and batches of windows with each window's vectors."""

    tokens: Tokens
    emissions: NDArray[np.float32]
    batches: list[tuple[Sequence[Window], Sequence[torch.Tensor]]]


class QuoteTagger:
    """Network, tokenizer and thresholds together.

    Parameters
    ----------
    network, tokenizer, config
        Its parts; `config` holds name, ``thresholds`` of the links, and ``biases`` added to the scores of tags.
    content
        Hash of the folder they are from.
    precision
        See `QuoteEncoder`: a network that will be trained on needs ``fp32``.
    ranges
        What its linear layers read, if it has been measured; needed by ``int8``.
    """

    def __init__(
        self,
        network: QuoteNetwork,
        tokenizer: Tokenizer,
        config: Mapping[str, Any],
        *,
        content: str = "unsaved",
        precision: Precision = "fp32",
        ranges: Ranges | None = None,
    ) -> None:
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.config = dict(config)
        self.content_hash = content
        biases = self.config.get("biases", {})
        self._biases = np.array([biases.get(tag, 0.0) for tag in TAGS], dtype=np.float32)
        self.ranges = dict(ranges or {})
        self._encoder = QuoteEncoder(self.network, precision, self.ranges)

    @property
    def id(self) -> str:
        """Name and content hash."""
        return f"{self.config['name']}@{self.content_hash}"

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path | None = None,
        *,
        words_from: str | Path | None = None,
        precision: Precision | None = None,
    ) -> Self:
        """Load a tagger.

        Parameters
        ----------
        folder
            Folder of the tagger; the shipped one if not given.
        words_from
            Folder of the model that holds the word embeddings; the shipped stance model if not given.
        precision
            Numbers that the encoder runs in, as `chosen_precision` takes them.

        Raises
        ------
        UsageError
            If there is no such precision, or not on this machine.
        ModelError
            If a folder is missing or damaged, or the embeddings are not those of the tagger's training.
        """
        chosen_precision(precision)  # what cannot be is said before anything is read
        path = Path(folder) if folder is not None else shipped_tagger()
        state, ranges, probe, config = read_folder(path)
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
        chosen = chosen_precision(precision, ranges=bool(ranges))
        return cls(network, tokenizer, config, content=content_hash(path), precision=chosen, ranges=ranges)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the tagger's folder."""
        config = self.config | {"size": self.network.size}
        words = self.network.words
        write_folder(folder, self.network.state_dict(), words, config, self.tokenizer.to_str(), self.ranges)
        self.content_hash = content_hash(folder)

    @property
    def precision(self) -> Precision:
        """Numbers that the encoder runs in."""
        return self._encoder.precision

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Find sources, cues and contents of several texts at once, and which belong together."""
        return list(self.readings(texts))

    def readings(self, texts: Iterable[str]) -> Iterator[Reading]:
        """Yield what `read` finds, text by text; threads read the next ones meanwhile.

        Texts never share a batch and each is read by one thread, so that a text reads the same whatever stands beside
        it, and however many cores there are.
        """
        return _ahead(lambda text: self._decoded(self._encoded(text)), texts)

    def inputs(self, text: str) -> Iterator[tuple[torch.Tensor, torch.Tensor, list[int]]]:
        """Yield what the encoder reads of a text, as `QuoteEncoder` takes it."""
        tokens = article_tokens(text, self.tokenizer)
        return (_inputs(tokens, windows) for windows in _batches(article_windows(tokens)))

    def _encoded(self, text: str) -> _Encoded:
        tokens = article_tokens(text, self.tokenizer)
        emissions = np.zeros((len(tokens), len(TAGS)), dtype=np.float32)
        batches = []
        for windows in _batches(article_windows(tokens)):
            ids, shapes, sizes = _inputs(tokens, windows)
            vectors = self._encoder(ids, shapes, sizes)
            with torch.inference_mode():
                scores = self.network.emissions(vectors).numpy()
            for w, found in zip(windows, np.split(scores, np.cumsum(sizes)[:-1]), strict=True):
                emissions[w.first : w.last] = found[1 + w.first - w.low : 1 + w.last - w.low]
            batches.append((windows, vectors.split(sizes)))
        return _Encoded(tokens, emissions, batches)

    def _decoded(self, encoded: _Encoded) -> Reading:
        tokens = encoded.tokens
        tags = viterbi(encoded.emissions + self._biases, self.network.moves().detach().numpy(), tokens.paragraph)
        spans = spans_of(tags, tokens)
        cues = cues_of(spans)
        claimed = np.zeros(len(tokens), dtype=np.bool_)  # by a source or content: no other token is asked for
        for span in spans:
            claimed[span.first : span.last] = span.kind != "cue"
        scores: list[tuple[int, NDArray[np.float32]]] = []
        for windows, vectors in encoded.batches:
            for window, own in zip(windows, vectors, strict=True):
                ends = bisect_left(cues, window.last, lo=len(scores), key=itemgetter(0))
                if here := cues[len(scores) : ends]:
                    logs = self._roles(window, own[1:-1], here, np.flatnonzero(claimed[window.low : window.high]))
                    scores += [(window.low, row) for row in logs]
        return Reading(tokens, tags, spans, link(spans, cues, scores, self.config.get("thresholds", {})))

    def _roles(
        self, window: Window, vectors: torch.Tensor, cues: Sequence[tuple[int, int]], places: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the log-probabilities of the window's tokens for each cue; zeros but at `places`."""
        share = np.zeros((len(cues), len(vectors)), dtype=np.float32)
        for row, (a, b) in enumerate(cues):
            high = min(b, window.high)
            share[row, a - window.low : high - window.low] = 1 / (high - a)
        centres = (share * np.arange(share.shape[1])).sum(1).round().astype(np.int64)
        logs = np.zeros((*share.shape, len(ROLES)), dtype=np.float32)
        with torch.inference_mode():
            found = self.network.window_roles(vectors, *map(torch.from_numpy, (places, share, centres)))
            logs[:, places] = torch.log_softmax(found, dim=-1).numpy()
        return logs


def _inputs(tokens: Tokens, windows: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Return ids, shapes and lengths of windows end to end, each between its special tokens."""
    ids, shapes = (
        torch.from_numpy(np.concatenate([np.pad(part[w.low : w.high], 1, constant_values=ends) for w in windows]))
        for part, ends in ((tokens.ids, (CLS, SEP)), (tokens.shape, 0))
    )
    return ids, shapes, [w.high - w.low + 2 for w in windows]


def _batches(windows: Sequence[Window]) -> Iterator[Sequence[Window]]:
    """Yield the windows in order, as many to a batch as its tokens allow."""
    ends = np.cumsum([w.high - w.low + 2 for w in windows]) // _TOKENS_PER_BATCH
    for _, batch in groupby(zip(ends.tolist(), windows, strict=True), key=itemgetter(0)):
        yield [window for _, window in batch]


def _ahead(work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Yield ``work(item)`` for each item, in order; as many threads as torch may use work on the next ones."""
    threads = torch.get_num_threads()
    begun: deque[Future[U]] = deque()
    with ThreadPoolExecutor(threads, "quotes", torch.set_num_threads, (1,)) as pool:

        def finished() -> U:
            result = begun.popleft().result()
            torch.set_num_threads(threads)  # threads that others start take the number that was set last
            return result

        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > threads:
                yield finished()
        while begun:
            yield finished()
