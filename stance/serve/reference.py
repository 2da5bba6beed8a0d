"""An OpenAPI description as plain entries for a page that loads nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["operations"]

_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minimum": "at least {}",
    "maximum": "at most {}",
}


def operations(description: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one entry per operation.

    Parameters
    ----------
    description
        An OpenAPI 3.1 description.

    Returns
    -------
    list of dict
        ``method``, ``path``, ``summary``, ``fields`` of the request and of its answer (``name``, ``kind``,
        ``required``, ``about``), ``example`` (JSON, or ``None``), ``answers`` (status and meaning), ``secured``.
    """
    found = []
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            good = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
            example = _example(body, description) if body else None
            found.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("description", operation.get("summary", "")),
                    "fields": list(_fields(body, description)) if body else [],
                    "answer": list(_fields(good, description)) if good else [],
                    "example": json.dumps(example, indent=2, ensure_ascii=False) if example else None,
                    "answers": sorted((s, r.get("description", "")) for s, r in operation["responses"].items()),
                    "secured": bool(operation.get("security")),
                }
            )
    return found


def _resolved(schema: Mapping[str, Any], description: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, and see through ``X or null``."""
    while True:
        if "$ref" in schema:
            node: Any = description
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        elif "anyOf" in schema:
            kept = [option for option in schema["anyOf"] if option.get("type") != "null"]
            schema = {**{k: v for k, v in schema.items() if k != "anyOf"}, **kept[0]}
        else:
            return schema


def _fields(schema: Mapping[str, Any], description: Mapping[str, Any], prefix: str = "") -> Iterator[dict[str, Any]]:
    resolved = _resolved(schema, description)
    required = set(resolved.get("required", ()))
    for name, part in resolved.get("properties", {}).items():
        inner = _resolved(part, description)
        items = _resolved(inner["items"], description) if "items" in inner else {}
        listed = inner.get("type") == "array"
        kind = f"list of {items.get('type', 'any')}" if listed else str(inner.get("type", "any"))
        yield {
            "name": f"{prefix}{name}",
            "kind": kind,
            "required": name in required,
            "about": _about(inner, part),
        }
        if "properties" in items:
            yield from _fields(items, description, f"{prefix}{name}[].")


def _about(schema: Mapping[str, Any], outer: Mapping[str, Any]) -> str:
    limits = [text.format(f"{schema[key]:,}") for key, text in _BOUNDS.items() if schema.get(key)]
    if "enum" in schema:
        limits.append("one of " + ", ".join(map(str, schema["enum"])))
    about = str(outer.get("description", "")).rstrip(".")
    return ". ".join(part for part in (about, "; ".join(limits)) if part)


def _example(schema: Mapping[str, Any], description: Mapping[str, Any]) -> Any:
    """Return the smallest sensible value of a schema: required fields only."""
    resolved = _resolved(schema, description)
    if resolved.get("examples"):
        return resolved["examples"][0]
    if resolved.get("type") == "object":
        required = set(resolved.get("required", ()))
        return {n: _example(part, description) for n, part in resolved.get("properties", {}).items() if n in required}
    if resolved.get("type") == "array":
        return [_example(resolved["items"], description)]
    return {"string": "1", "integer": 0, "number": 0.0, "boolean": False}.get(str(resolved.get("type")))
