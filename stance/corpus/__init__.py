"""Labelled corpora: records and their rules, reading, writing, splits that wire copy cannot cross."""

from stance.corpus.card import dataset_card
from stance.corpus.duplicates import NearDuplicate, near_duplicates, shingles
from stance.corpus.reading import read_corpus
from stance.corpus.records import Corpus, CorpusRecord, check_corpus, cluster_of
from stance.corpus.splits import Leak, find_leaks, split_corpus
from stance.corpus.writing import corpus_features, write_corpus

__all__ = [
    "Corpus",
    "CorpusRecord",
    "Leak",
    "NearDuplicate",
    "check_corpus",
    "cluster_of",
    "corpus_features",
    "dataset_card",
    "find_leaks",
    "near_duplicates",
    "read_corpus",
    "shingles",
    "split_corpus",
    "write_corpus",
]
