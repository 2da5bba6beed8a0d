import yaml

from training.hard_cases import PAGE, markdown


def test_the_page_shows_what_comes_out(root):
    page = PAGE.read_text(encoding="utf-8")
    cases = yaml.safe_load((root / "training" / "own_quotes" / "hard_cases.yaml").read_text(encoding="utf-8"))
    assert len(cases) == 10
    assert page == "\n".join(markdown("learned", None))
