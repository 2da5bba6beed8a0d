"""Single documents: plain text and HTML."""

from __future__ import annotations

import re
from typing import Any

from stance.articles.notices import Notices

__all__ = ["html_fields", "text_fields"]

_HEADER = re.compile(r"(title|headline|outlet|source|date|published|url|id): ?(.*)", re.IGNORECASE)


def text_fields(text: str) -> dict[str, Any]:
    """Return the fields of a plain-text article.

    Lines such as ``Title: …``, ``Outlet: …``, ``Date: …`` and ``URL: …`` at the very top, ended by an empty line,
    are its metadata; the rest is the body. Without that empty line everything is the body.
    """
    fields: dict[str, Any] = {}
    rest = text
    while match := _HEADER.fullmatch(rest.partition("\n")[0]):
        fields[match.group(1).lower()] = match.group(2).strip()
        rest = rest.partition("\n")[2]
    head, newline, body = rest.partition("\n")
    if fields and newline and not head.strip():
        return {**fields, "text": body}
    return {"text": text}


def html_fields(html: str, name: str, notices: Notices) -> dict[str, Any] | None:
    """Return main text, title, outlet, date and url of a page, or ``None`` (and a rejection) if it has no text."""
    import trafilatura

    try:
        found: Any = trafilatura.bare_extraction(html, with_metadata=True, include_comments=False, include_tables=False)
    except Exception as error:  # a third-party parser on hostile pages: any failure is a rejected page
        notices.reject(name, None, "html", f"the page could not be read: {type(error).__name__}: {error}")
        return None
    text = found.text if found is not None else None
    if not text or not text.strip():
        notices.reject(name, None, "html", "no main text found on the page")
        return None
    return {
        "text": text,
        "title": found.title,
        "outlet": found.sitename or found.hostname,
        "published": found.date,
        "url": found.url,
    }
