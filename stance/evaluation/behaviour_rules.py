"""The rules that a file of behaviour tests must keep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["SLOT", "TARGET_SLOTS", "check_problem", "file_problem"]

SLOT = re.compile(r"\{(\w+)(?:\.(\w+))?\}")
"""A slot of a template: a name, and perhaps a form."""
TARGET_SLOTS = ("A", "B")

_FILE_KEYS = ("forms", "fill", "tests")
_TEST_KEYS = {"kind", "name", "statement", "speaker", "expect", "variants"}
_VARIANT_KEYS = {"statement", "speaker", "expect", "same", "swap", "typos"}


def file_problem(data: Any) -> str | None:
    """Return what is wrong with the file around its tests, or ``None``."""
    if not isinstance(data, dict):
        return "needs a mapping with the key 'tests'"
    if unknown := set(data) - set(_FILE_KEYS):
        return f"unknown key {_named(unknown)}; known: {', '.join(_FILE_KEYS)}"
    if not isinstance(data.get("tests"), list) or not data["tests"]:
        return "needs a list under the key 'tests'"
    forms, fill = data.get("forms") or {}, data.get("fill") or {}
    if not isinstance(forms, dict) or not all(_is_form(form) for form in forms.values()):
        return "'forms' must give each target a mapping from form to text, or to a list of texts"
    if not isinstance(fill, dict) or not all(_is_texts(values) and values for values in fill.values()):
        return "'fill' must give each slot a list of texts"
    if taken := set(fill) & set(TARGET_SLOTS):
        return f"{_named(taken)} under 'fill' is the slot of a target"
    return None


def check_problem(test: Any, fill: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a test, or ``None``; `fill` holds the slots it may use."""
    if not isinstance(test, dict) or not all(isinstance(test.get(k), str) for k in ("kind", "name", "statement")):
        return "needs 'kind', 'name' and 'statement' as text"
    if unknown := set(test) - _TEST_KEYS:
        return f"unknown key {_named(unknown)}; known: {', '.join(sorted(_TEST_KEYS))}"
    variants = test.get("variants", [])
    if not isinstance(variants, list) or not all(isinstance(v, dict) for v in variants):
        return "'variants' must be a list of mappings"
    if not variants and not test.get("expect"):
        return "checks nothing: needs 'expect' or 'variants'"
    if problem := next(filter(None, map(_part_problem, (test, *variants))), None):
        return problem
    if problem := next(filter(None, map(_variant_problem, variants)), None):
        return problem
    return _slot_problem((test, *variants), fill)


def _part_problem(part: Mapping[str, Any]) -> str | None:
    for key in ("statement", "speaker"):
        if key in part and not isinstance(part[key], str):
            return f"{key!r} must be text"
    expect = part.get("expect", {})
    if not isinstance(expect, dict) or not all(isinstance(x, str) for pair in expect.items() for x in pair):
        return "'expect' must be a mapping from A, B or a target's name to a label"
    return None


def _variant_problem(variant: Mapping[str, Any]) -> str | None:
    if unknown := set(variant) - _VARIANT_KEYS:
        return f"unknown key {_named(unknown)} in a variant; known: {', '.join(sorted(_VARIANT_KEYS))}"
    if not variant.get("expect") and not variant.get("same"):
        return "a variant checks nothing: needs 'expect' or 'same'"
    if not _is_texts(variant.get("same", [])) or not set(variant.get("same", [])) <= set(TARGET_SLOTS):
        return "'same' must be a list of A, B"
    if "swap" in variant and (not _is_texts(variant["swap"]) or sorted(variant["swap"]) != list(TARGET_SLOTS)):
        return "'swap' must be [A, B]"
    typos = variant.get("typos", 1)
    if not isinstance(typos, int) or isinstance(typos, bool) or typos < 1:
        return "'typos' must be a whole number of words, at least 1"
    return None


def _slot_problem(parts: Sequence[Mapping[str, Any]], fill: Mapping[str, Any]) -> str | None:
    texts = [part.get(key, "") for part in parts for key in ("statement", "speaker")]
    used = {m[1] for text in texts for m in SLOT.finditer(text)}
    if unknown := used - set(fill) - set(TARGET_SLOTS):
        return f"slot {_named(unknown)} is neither A, B nor under 'fill'"
    named = {s for p in parts for s in (*p.get("same", ()), *p.get("swap", ()), *p.get("expect", ()))}
    if unknown := named & set(TARGET_SLOTS) - used:
        return f"{_named(unknown)} is in no template"
    return None


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(x, str) for x in value)


def _is_form(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(x, str) or _is_texts(x) for x in value.values())


def _named(names: set[Any]) -> str:
    return ", ".join(sorted(map(str, names)))
