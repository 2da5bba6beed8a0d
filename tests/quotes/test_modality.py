import pytest

from stance.quotes import extract_statements
from stance.quotes.modality import factuality, kind_of
from stance.schema import Article


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann Lee said that the port was not open.", "asserted"),
        ("Ann Lee did not say that the port was open.", "not_said"),
        ("Ann Lee never said that the port was open.", "not_said"),
        ("Nobody at the club said that the port was open.", "not_said"),
        ("Ann Lee denied that the port was open.", "denied"),
        ("“Is the port open?” said Ann Lee.", "question"),
        ("Ann Lee would say that the port was open.", "hypothetical"),
        ("If Ann Lee says that the port is open, ships will come.", "hypothetical"),
        ("“We would leave if we could,” Ann Lee said.", "asserted"),
    ],
)
def test_factuality_of_whole_sentences(text, expected):
    (statement,) = extract_statements(Article("a", text), engine="rules")
    assert statement.factuality == expected


@pytest.mark.parametrize(
    ("text", "cue", "content", "expected"),
    [
        ("Ann Lee declined to say that the port was open.", "say", "that the port was open", "not_said"),
        ("Ann Lee hasn't said that the port was open.", "hasn't said", "that the port was open", "not_said"),
        ("Ann Lee asked whether the port was open.", "asked", "whether the port was open", "question"),
        ("It did not rain, and Ann Lee said the port was open.", "said", "the port was open", "asserted"),
        ("The port was not open, Ann Lee said.", "said", "The port was not open", "asserted"),
    ],
)
def test_factuality_reads_cue_and_its_helpers_only(text, cue, content, expected):
    start = text.index(content)
    assert factuality(text, start, start + len(content), cue, text.index(cue)) == expected


@pytest.mark.parametrize(
    ("cue", "kind"),
    [
        ("said", "speech"),
        ("had previously believed", "thought"),
        ("hopes", "thought"),
        ("told of his fears", "speech"),
        ("was worried", "thought"),
        ("according to", "speech"),
        (None, "speech"),
    ],
)
def test_kind(cue, kind):
    assert kind_of(cue) == kind
