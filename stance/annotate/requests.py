"""What the labelling page is sent: forms and changes, checked before anything is done with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from stance.annotate.records import KINDS, Change
from stance.errors import AnnotationError

__all__ = ["read_change", "read_form"]

_LONGEST_LOOK = 10 * 60 * 1000  # milliseconds between two changes that can be work
_FIELDS = {"item", "base", "token", "kind", "labels", "text", "millis", "adjudicate"}


class _RequestError(AnnotationError):
    default_rule = "request"


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first of each name; none if it cannot be read."""
    try:
        parsed = parse_qs((await request.body()).decode("utf-8"), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in parsed.items()}


def read_change(body: dict[str, Any]) -> tuple[str, int | None, Change, bool]:
    """Read a change from the page; says what is wrong with it."""
    if unknown := set(body) - _FIELDS:
        raise _RequestError(f"unknown field {', '.join(sorted(unknown))[:80]!r}", file="request")
    item, base, labels = body.get("item"), body.get("base"), body.get("labels", {})
    text, millis, token = body.get("text"), body.get("millis", 0), body.get("token")
    rules = {
        "item": isinstance(item, str) and bool(item),
        "base": base is None or (isinstance(base, int) and not isinstance(base, bool)),
        "kind": body.get("kind") in KINDS,
        "labels": isinstance(labels, dict)
        and len(labels) <= 1000
        and all(isinstance(v, str | None) for v in labels.values()),
        "text": text is None or (isinstance(text, str) and len(text) <= 4000),
        "millis": isinstance(millis, int) and not isinstance(millis, bool) and millis >= 0,
        "token": token is None or (isinstance(token, str) and 1 <= len(token) <= 64),
        "adjudicate": isinstance(body.get("adjudicate", False), bool),
    }
    if broken := [name for name, kept in rules.items() if not kept]:
        raise _RequestError(f"{', '.join(broken)} missing or of the wrong form", file="request")
    change = Change(body["kind"], dict(labels), text, min(millis, _LONGEST_LOOK), token=token)
    return str(item), base, change, bool(body.get("adjudicate", False))
