"""Fine-tuning on the Hugging Face Trainer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments

from stance.errors import MissingExtraError
from stance.learning.examples import Augment, Collator, Example, ExampleDataset, LengthBuckets, asked
from stance.model import StanceClassifier
from stance.model.packing import MARKERS

__all__ = ["FitOptions", "fit"]

_SHORT = 256
"""Tokens up to which all attention matrices of a batch are small enough to be kept for the backward pass."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How to fine-tune.

    Parameters
    ----------
    epochs, batch_size
        Passes over the examples, and examples to a step.
    learning_rate, head_learning_rate
        Peak rates of encoder and head; both rise over `warmup` and then fall to zero.
    warmup
        Share of the steps spent rising.
    weight_decay
        AdamW's decay, not applied to biases and norms.
    seed
        Of everything random.
    bf16
        Compute in bfloat16 (weights stay float32).
    freeze_words
        Keep the word vectors of the encoder as they are, so that other models can share them; only those of the
        markers are learned.
    freeze_layers
        How many of the encoder's layers, counted from its input, stay as they are, with everything below them. What
        is frozen costs no backward pass.
    soft_weight, soft_temperature
        Weight and temperature of imitating the beliefs of the examples, see `stance.model.StanceModel.forward`.
    """

    epochs: float = 3.0
    batch_size: int = 32
    learning_rate: float = 1e-4
    head_learning_rate: float = 5e-4
    warmup: float = 0.06
    weight_decay: float = 0.01
    seed: int = 17
    bf16: bool = True
    freeze_words: bool = False
    freeze_layers: int = 0
    soft_weight: float = 1.0
    soft_temperature: float = 1.0


class _StanceTrainer(Trainer):
    """Trainer that draws batches by length."""

    batch_sampler: LengthBuckets

    def get_train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(
            cast("Dataset[Any]", self.train_dataset), batch_sampler=self.batch_sampler, collate_fn=self.data_collator
        )


def fit(
    classifier: StanceClassifier,
    examples: Sequence[Example],
    options: FitOptions,
    *,
    output: str | Path,
    augment: Augment | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> StanceClassifier:
    """Fine-tune a classifier in place, on a GPU if there is one; afterwards its model is where it was before.

    It runs on the engine ``torch-fp32`` from then on: the others hold a copy of the weights as they were.

    Parameters
    ----------
    classifier
        Changed in place and returned.
    examples
        Training examples.
    options
        Recipe.
    output
        Folder for the Trainer's log; no checkpoint is written.
    augment
        Variation of the examples.
    callbacks
        Trainer callbacks.

    Raises
    ------
    MissingExtraError
        If `accelerate` is not installed.
    ValueError
        If more layers are to be frozen than the encoder has.
    """
    try:
        import accelerate  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("training", "train") from error
    if classifier.engine.name != "torch-fp32":
        classifier.use_engine("torch-fp32")
    model, config = classifier.model, classifier.config
    device = model.device
    trainer = _StanceTrainer(
        model=model,
        args=_arguments(options, output),
        train_dataset=ExampleDataset(examples, augment, options.seed),
        data_collator=Collator(
            classifier.packer,
            config.labels,
            config.special_ids["pad"],
            soft_weight=options.soft_weight,
            soft_temperature=options.soft_temperature,
        ),
        optimizers=(_optimizer(classifier, options), None),
        callbacks=list(callbacks),
    )
    first_pass = [asked(e)[: config.targets_per_pass] for e in examples]
    packed = classifier.packer.pack([e.statement for e in examples], first_pass)
    lengths = [len(p.ids) for p in packed]
    trainer.batch_sampler = LengthBuckets(lengths, options.batch_size, options.seed)
    with (
        _frozen_words(classifier, options.freeze_words),
        _frozen_layers(classifier, options.freeze_layers),
        _attention(classifier),
    ):
        trainer.train()
    model.to(device)  # type: ignore[arg-type]
    model.eval()  # type: ignore[no-untyped-call]
    return classifier


def _arguments(options: FitOptions, output: str | Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(output),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        lr_scheduler_type="cosine",
        warmup_steps=options.warmup,
        max_grad_norm=1.0,
        seed=options.seed,
        bf16=options.bf16,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to=[],
        logging_steps=100,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


@contextmanager
def _frozen_words(classifier: StanceClassifier, frozen: bool) -> Iterator[None]:
    """Give the word vectors below the first marker no gradient (Adam then leaves them exactly as they are)."""
    if not frozen:
        yield
        return
    first = min(classifier.config.special_ids[role] for role in MARKERS)

    def drop(gradient: torch.Tensor) -> torch.Tensor:
        gradient[:first] = 0
        return gradient

    handle = _words(classifier).register_hook(drop)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _frozen_layers(classifier: StanceClassifier, count: int) -> Iterator[None]:
    """Leave the embeddings and the first layers of the encoder out of the backward pass; none if the count is 0."""
    if not count:
        yield
        return
    encoder = cast("Any", classifier.model.encoder)
    layers = list(encoder.encoder.layer)
    if not 0 < count <= len(layers):
        raise ValueError(f"freeze_layers is {count}, the encoder has {len(layers)} layers")
    still = [p for part in (encoder.embeddings, *layers[:count]) for p in part.parameters()]
    learned = [p for p in still if p.requires_grad]
    for parameter in learned:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learned:
            parameter.requires_grad_(True)


@contextmanager
def _attention(classifier: StanceClassifier) -> Iterator[None]:
    """Write attention out for batches of short inputs while training without a GPU: a step takes a third less."""
    encoder = cast("Any", classifier.model.encoder)
    usual = encoder.config._attn_implementation
    if torch.cuda.is_available():
        yield
        return

    def choose(module: Any, _: tuple[Any, ...], given: Mapping[str, Any]) -> None:
        """Batches are of similar lengths, so one long example does not slow the others."""
        module.set_attn_implementation("eager" if given["input_ids"].shape[1] <= _SHORT else usual)

    handle = encoder.register_forward_pre_hook(choose, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
        encoder.set_attn_implementation(usual)


def _words(classifier: StanceClassifier) -> torch.nn.Parameter:
    return cast("torch.nn.Parameter", classifier.model.encoder.get_input_embeddings().weight)


def _optimizer(classifier: StanceClassifier, options: FitOptions) -> torch.optim.Optimizer:
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    kept = _words(classifier) if options.freeze_words else None
    for name, parameter in classifier.model.named_parameters():
        decay = parameter.ndim > 1 and parameter is not kept
        groups.setdefault((name.startswith("head"), decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": options.head_learning_rate if head else options.learning_rate,
                "weight_decay": options.weight_decay if decay else 0.0,
            }
            for (head, decay), parameters in groups.items()
        ],
        fused=True,
    )
