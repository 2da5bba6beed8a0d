import pytest

from stance.errors import TargetError
from stance.schema import Target
from stance.targets import default_targets, load_targets, name_in, resolve_targets


def test_four_defaults_in_order():
    assert [t.name for t in default_targets()] == ["United States", "Russia", "China", "Ukraine"]


def test_the_file_in_configs_is_the_one_in_the_package(root):
    assert load_targets(root / "configs" / "targets.yaml") == default_targets()


def test_names_and_aliases_of_defaults_and_new_names():
    found = resolve_targets("NATO, the Kremlin , Kremlin, european union")
    assert [t.name for t in found] == ["NATO", "the Kremlin", "Russia", "european union"]


def test_target_objects_pass_through():
    mine = Target("OPEC", ("oil cartel",))
    assert resolve_targets([mine, "China"])[0] is mine


@pytest.mark.parametrize(
    ("spec", "rule"),
    [("China,,Russia", "named"), ("", "named"), ("China,PRC", "unique"), ([], "at-least-one")],
)
def test_bad_lists_are_named(spec, rule):
    with pytest.raises(TargetError) as caught:
        resolve_targets(spec)
    assert caught.value.rejection.rule == rule


@pytest.mark.parametrize(
    ("text", "rule", "record"),
    [
        ("targets: [", "yaml", None),
        ("names: [a]", "targets-list", None),
        ("targets: [{aliases: [x]}]", "named", 1),
        ("targets: [A, {name: B, alias: [x]}]", "known-keys", 2),
        ("targets: [{name: B, aliases: x}]", "aliases-list", 1),
        ("targets: []", "at-least-one", None),
    ],
)
def test_bad_files_name_file_record_and_rule(tmp_path, text, rule, record):
    path = tmp_path / "t.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TargetError) as caught:
        load_targets(path)
    assert (caught.value.rejection.file, caught.value.rejection.rule) == (str(path), rule)
    assert caught.value.rejection.record == record


def test_missing_file(tmp_path):
    with pytest.raises(TargetError, match="cannot read targets"):
        resolve_targets(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("{name: NATO, aliases: [Brussels]}, {name: EU, aliases: [Union, brussels]}", "'brussels' names both 'NATO'"),
        ("{name: NATO, aliases: [Peru]}, Peru", "'Peru' names both 'NATO' and 'Peru'"),
    ],
)
def test_a_name_of_two_targets_is_refused(tmp_path, entries, said):
    path = tmp_path / "targets.yaml"
    path.write_text(f"targets: [{entries}]")
    with pytest.raises(TargetError, match=said) as error:
        load_targets(path)
    assert (error.value.rejection.rule, error.value.rejection.record) == ("ambiguous-alias", 2)
    path.write_text("targets: [{name: NATO, aliases: [Nato, nato]}, Peru]")
    assert len(load_targets(path)) == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NATO and the Alliance", "NATO"),
        ("The Alliance, not Brussels, decides", "the Alliance"),
        ("Brussels knows what the Alliance wants", "Brussels"),
        ("Brussels’ plan and the Atlanticists", "Brussels"),
        ("Brussels Airport is shut", "Brussels Airport"),
        ("Atlanticists’ hopes", "Atlanticist"),
        ("an alliance of grocers in BRUSSELS", "NATO"),
        ("It rained", "NATO"),
    ],
)
def test_the_name_that_a_text_uses(text, name):
    nato = Target("NATO", ("Brussels", "the Alliance", "Brussels Airport", "Atlanticist"))
    assert name_in(nato, text) == name
