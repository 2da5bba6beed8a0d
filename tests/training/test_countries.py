import pytest
import yaml

from training.build_countries import countries


def test_the_file_is_what_the_library_and_the_list_give(root):
    pytest.importorskip("countryinfo")
    written = yaml.safe_load((root / "stance" / "quotes" / "data" / "countries.yaml").read_text(encoding="utf-8"))
    assert written == countries()


def test_each_word_belongs_to_one_country(root):
    written = yaml.safe_load((root / "stance" / "quotes" / "data" / "countries.yaml").read_text(encoding="utf-8"))
    words = [word for many in written.values() for word in many]
    assert len(words) == len(set(words))
    assert len(written) > 190
