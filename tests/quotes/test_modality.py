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
        ("Ann Lee not only said the port was open.", "said", "the port was open", "asserted"),
        ("Ann Lee had no doubt the port was open.", "had no doubt", "the port was open", "asserted"),
        ("Ann Lee gave no sign that the port was open.", "gave no sign", "the port was open", "not_said"),
        ("Ann Lee no longer says the port was open.", "says", "the port was open", "not_said"),
        ("Ann Lee didn't just say the port was open.", "didn't just say", "the port was open", "asserted"),
        ("Neither side said the port was open.", "said", "the port was open", "not_said"),
        ("Neither crew has said the port was open.", "said", "the port was open", "not_said"),
        ("It rained, but no harbour official said the port was open.", "said", "the port was open", "not_said"),
        ("No doubt Ann Lee said the port was open.", "said", "the port was open", "asserted"),
        ("No fewer than ten captains said the port was open.", "said", "the port was open", "asserted"),
        ("No ship was lost and Ann Lee said the port was open.", "said", "the port was open", "asserted"),
        ("Late that night the man at the old piano teacher said the port was open.", "said", "the port", "asserted"),
        ("Captains were told that the port was open.", "were told", "the port was open", "asserted"),
        ("The captains were to say the port was open.", "say", "the port was open", "hypothetical"),
        ("She’d said the port was open.", "’d said", "the port was open", "asserted"),
        ("She'd been told the port was open.", "told", "the port was open", "asserted"),
        ("She'd say the port was open.", "say", "the port was open", "hypothetical"),
        ("She would be told the port was open.", "told", "the port was open", "hypothetical"),
        ("Anna May said the port was open.", "said", "the port was open", "asserted"),
        ("Ann Lee asked the council to open the port.", "asked", "the council to open the port", "asserted"),
        ("Ann Lee asked for help.", "asked", "for help", "asserted"),
        ("Ann Lee asked the council how to open the port.", "asked", "the council how to open the port", "question"),
        ("“Open the port to us.” Ann Lee asked.", "asked", "Open the port to us.", "asserted"),
        ("“Is it open to us,” Ann Lee asked.", "asked", "Is it open to us", "question"),
        ("Captains say “it is open”? Who knows.", "say", "“it is open", "question"),
        ("LEE: Is the port open?", None, "Is the port open", "question"),
    ],
)
def test_factuality_reads_cue_and_its_helpers_only(text, cue, content, expected):
    start = text.index(content)
    assert factuality(text, start, start + len(content), cue, text.index(cue) if cue else None) == expected


@pytest.mark.parametrize(
    ("cue", "kind"),
    [
        ("said", "speech"),
        ("had previously believed", "thought"),
        ("hopes", "thought"),
        ("told of his fears", "speech"),
        ("was worried", "thought"),
        ("according to", "speech"),
        ("did not believe", "thought"),
        ("don't think", "thought"),
        ("can’t imagine", "thought"),
        ("still believes", "thought"),
        ("no longer expects", "thought"),
        ("had long hoped", "thought"),
        ("would like", "thought"),
        ("are worried", "thought"),
        ("would not say", "speech"),
        (None, "speech"),
    ],
)
def test_kind(cue, kind):
    assert kind_of(cue) == kind
