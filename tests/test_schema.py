import pytest

from stance.schema import CONTRACT_VERSION, Statement, row_columns, rows_schema, stable_id, statements_schema


def test_row_contract_order():
    assert row_columns() == (
        *("article_id", "outlet", "published", "statement_id", "quotation_id", "start", "end", "quote_type"),
        *("statement", "cue", "speaker", "speaker_mention", "speaker_country", "target", "label"),
        *("p_against", "p_neutral", "p_favor", "p_not_addressed"),
        *("confidence", "abstained", "truncated", "model"),
    )


def test_probability_columns_follow_the_label_set():
    columns = row_columns(("yes", "no"))
    assert [c for c in columns if c.startswith("p_")] == ["p_yes", "p_no"]
    assert rows_schema(("yes", "no")).names == list(columns)


def test_schemas_carry_the_contract_version():
    assert rows_schema().metadata[b"stance.contract"] == CONTRACT_VERSION.encode()
    assert statements_schema().metadata[b"stance.contract"] == CONTRACT_VERSION.encode()


def test_stable_id_is_pinned_and_separates_its_parts():
    assert stable_id("a", 1) == "839e11a421d370be"
    assert stable_id("ab", "c") != stable_id("a", "bc")


def test_statement_record_marks_the_statement_in_its_context():
    record = Statement(id="1", text="we won", before="She said ", after=" twice.").to_dict()
    assert record["context"] == "She said ⟦we won⟧ twice."
    assert record["speaker"] is None


@pytest.mark.parametrize("name", ["start", "end"])
def test_offsets_are_integers(name):
    assert str(rows_schema().field(name).type) == "int64"
