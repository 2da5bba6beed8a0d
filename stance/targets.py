"""Targets a speaker may take a side on: the four defaults, and any list or YAML file of the user's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from stance.errors import TargetError
from stance.schema import Target

__all__ = ["default_targets", "load_targets", "name_in", "resolve_targets"]

_KEYS = {"name", "aliases", "description"}


@cache
def default_targets() -> tuple[Target, ...]:
    """Return the United States, Russia, China and Ukraine, as shipped in the package."""
    source = files("stance") / "data" / "targets.yaml"
    return _parse(source.read_text(encoding="utf-8"), file="stance/data/targets.yaml")


def load_targets(path: str | Path) -> tuple[Target, ...]:
    """Read targets from a YAML file such as ``configs/targets.yaml``.

    Raises
    ------
    TargetError
        If the file cannot be read or an entry breaks a rule; names the file and the entry, counted from 1.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"cannot read targets: {error}", file=str(path), rule="readable") from error
    return _parse(text, file=str(path))


def resolve_targets(spec: str | Path | Sequence[str | Target] | None) -> tuple[Target, ...]:
    """Turn what a user may write for targets into targets.

    Parameters
    ----------
    spec
        ``None`` for the four defaults, a ``.yaml``/``.yml`` file, names separated by commas, or a sequence of
        names and `Target` objects. A name or alias of a default target stands for that target; any other
        name becomes a target of its own.

    Raises
    ------
    TargetError
        If nothing is named, or one target is named twice.
    """
    if spec is None:
        return default_targets()
    if isinstance(spec, Path) or (isinstance(spec, str) and spec.lower().endswith((".yaml", ".yml"))):
        return load_targets(spec)
    parts: Sequence[str | Target] = spec.split(",") if isinstance(spec, str) else spec
    known = {alias.casefold(): t for t in default_targets() for alias in (t.name, *t.aliases)}
    found: list[Target] = []
    for part in parts:
        if isinstance(part, str):
            name = part.strip()
            if not name:
                raise TargetError(f"a target without a name in {spec!r}", file="--targets", rule="named")
            part = known.get(name.casefold(), Target(name))
        found.append(part)
    return _checked(found, file="--targets")


def name_in(target: Target, text: str) -> str:
    """Return the name of a target that a text uses: its own if it stands there, else the first alias, else its own.

    Names are found as whole words, a plural or possessive s aside, in the case they are written in; one that begins
    with a small letter is found at the beginning of a sentence too.
    """
    if _place(target.name, text) is not None:
        return target.name
    found = [(place, -len(alias), alias) for alias in target.aliases if (place := _place(alias, text)) is not None]
    return min(found)[2] if found else target.name


def _place(name: str, text: str) -> int | None:
    first = f"[{name[0]}{name[0].upper()}]" if name[:1].islower() else re.escape(name[:1])
    found = re.search(rf"(?<!\w){first}{re.escape(name[1:])}(?:['’]?s)?(?!\w)", text)
    return found.start() if found else None


def _parse(text: str, *, file: str) -> tuple[Target, ...]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TargetError(f"not valid YAML: {error}", file=file, rule="yaml") from error
    entries = data.get("targets") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise TargetError("needs a list under the key 'targets'", file=file, rule="targets-list")
    return _checked([_entry(entry, file, i) for i, entry in enumerate(entries, 1)], file=file)


def _entry(entry: Any, file: str, record: int) -> Target:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"].strip():
        raise TargetError("a target needs a 'name'", file=file, record=record, rule="named")
    if unknown := set(entry) - _KEYS:
        allowed = ", ".join(sorted(_KEYS))
        keys = ", ".join(sorted(map(str, unknown)))
        raise TargetError(f"unknown key {keys}; known: {allowed}", file=file, record=record, rule="known-keys")
    aliases = entry.get("aliases") or []
    if not isinstance(aliases, list) or not all(isinstance(a, str) and a.strip() for a in aliases):
        raise TargetError("'aliases' must be a list of names", file=file, record=record, rule="aliases-list")
    description = str(entry.get("description") or "")
    return Target(entry["name"].strip(), tuple(a.strip() for a in aliases), description)


def _checked(targets: list[Target], *, file: str) -> tuple[Target, ...]:
    if not targets:
        raise TargetError("no target named", file=file, rule="at-least-one")
    seen: set[str] = set()
    for i, target in enumerate(targets, 1):
        if target.name.casefold() in seen:
            raise TargetError(f"{target.name!r} is named twice", file=file, record=i, rule="unique")
        seen.add(target.name.casefold())
    owner: dict[str, str] = {}
    for i, target in enumerate(targets, 1):
        for name in (target.name, *target.aliases):
            if (other := owner.setdefault(name.casefold(), target.name)) != target.name:
                message = f"{name!r} names both {other!r} and {target.name!r}"
                raise TargetError(message, file=file, record=i, rule="ambiguous-alias")
    return tuple(targets)
