"""Articles to statements: quotation spans, indirect speech, cue, speaker and the speaker's country."""

from stance.quotes.extract import Engine, extract_many, extract_statements, extract_stream, extractor_id
from stance.quotes.unquoted import unquoted_sentences

__all__ = ["Engine", "extract_many", "extract_statements", "extract_stream", "extractor_id", "unquoted_sentences"]
