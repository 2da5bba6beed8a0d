"""The pages for people: paste an article, sign in, read what the interface offers. Every text is escaped by Jinja2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from stance import __version__
from stance.schema import StanceRow, Statement
from stance.serve.api import leaving
from stance.serve.guard import SESSION_COOKIE, Sessions
from stance.serve.options import MAX_ARTICLE_CHARS
from stance.serve.reference import operations
from stance.serve.service import ScoredArticle, Service
from stance.serve.wire import ScoreRequest
from stance.serving.access import WRONG_TOKEN_PAUSE
from stance.serving.guard import came_by_tls
from stance.serving.refusals import Refusal

__all__ = ["STATIC", "Pages", "Segment", "segments"]

_HERE = Path(str(files("stance") / "serve"))
STATIC = _HERE / "static"
_FIELDS = ("title", "outlet", "text", "targets")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the article's text, and the statement it is, if it is one (counted from 0)."""

    text: str
    statement: int | None = None


def segments(text: str, statements: Sequence[Statement]) -> list[Segment]:
    """Cut an article at its statements; the pieces joined give the text again."""
    cuts = sorted({0, len(text), *(s.start for s in statements), *(s.end for s in statements)})
    numbers = {(s.start, s.end): i for i, s in enumerate(statements)}
    return [Segment(text[a:b], numbers.get((a, b))) for a, b in pairwise(cuts)]


class Pages:
    """Renders and answers the pages.

    Parameters
    ----------
    service
        Scores what is pasted.
    sessions
        Who may use the page.
    description
        Returns the OpenAPI description.
    """

    def __init__(self, service: Service, sessions: Sessions, description: Callable[[], dict[str, Any]]) -> None:
        self._service = service
        self._sessions = sessions
        self._description = description
        self._example = (_HERE / "data" / "example.txt").read_text(encoding="utf-8")
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"version": __version__, "max_chars": MAX_ARTICLE_CHARS, "signed": sessions.needed}

    def add_to(self, app: FastAPI) -> None:
        """Add the routes; they are no part of the described interface."""
        add: Callable[..., None] = app.add_api_route
        options: dict[str, Any] = {"include_in_schema": False, "response_class": HTMLResponse, "response_model": None}
        add("/", self.front, methods=["GET"], **options)
        add("/", self.scored, methods=["POST"], **options)
        add("/login", self.login, methods=["GET"], **options)
        add("/login", self.sign_in, methods=["POST"], **options)
        add("/logout", self.sign_out, methods=["POST"], **options)
        add("/docs", self.reference, methods=["GET"], **options)

    def refused(self, refusal: Refusal) -> Response:
        """Return the page that says why a request was refused."""
        if refusal.status == 303:
            return RedirectResponse("/login", 303)
        return self._page("error.html", refusal.status, refusal.headers, refusal=refusal)

    async def front(self, request: Request) -> Response:
        """Show the empty form, or with ``?example`` the example article."""
        text = self._example if "example" in request.query_params else ""
        title = "After long night, House passes Ukraine aid" if text else ""
        outlet = "Lakeside Tribune" if text else ""
        return self._form({"text": text, "title": title, "outlet": outlet, "targets": self._default_targets()})

    async def scored(self, request: Request) -> Response:
        """Score the pasted article and show it with its statements highlighted."""
        form = await _form_fields(request)
        values = {name: form.get(name, "").replace("\r\n", "\n") for name in _FIELDS}
        try:
            body = _request(values)
            found = (await self._service.score(body, leaving(request.receive)))[0]
        except ValidationError as error:
            return self._form(values, 422, [_plain(e) for e in error.errors()])
        except Refusal as refusal:
            if refusal.status == 499:
                raise
            return self._form(values, refusal.status, [p.message for p in refusal.problems] or [refusal.message])
        return self._form(values, result=self._result(found))

    async def login(self) -> Response:
        """Ask for the token."""
        if not self._sessions.needed:
            return RedirectResponse("/", 303)
        return self._page("login.html", wrong=False)

    async def sign_in(self, request: Request) -> Response:
        """Take the token and give a cookie that proves it was known."""
        token = (await _form_fields(request)).get("token", "").strip()
        if not self._sessions.right(token):
            await asyncio.sleep(WRONG_TOKEN_PAUSE)
            return self._page("login.html", 401, wrong=True)
        return _with_cookie(RedirectResponse("/", 303), self._sessions.cookie(), request)

    async def sign_out(self, request: Request) -> Response:
        """Forget the cookie."""
        return _with_cookie(RedirectResponse("/login", 303), "", request)

    async def reference(self) -> Response:
        """Describe the interface, from its own OpenAPI description."""
        description = self._description()
        return self._page("reference.html", operations=operations(description), about=description["info"])

    def _default_targets(self) -> str:
        return ", ".join(t.name for t in self._service.scorer.targets)

    def _form(
        self,
        values: Mapping[str, str],
        status: int = 200,
        errors: Sequence[str] = (),
        result: Mapping[str, Any] | None = None,
    ) -> Response:
        return self._page("page.html", status, values=values, errors=errors, result=result)

    def _page(
        self, name: str, status_code: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(**values), status_code, dict(headers or {}))

    def _result(self, found: ScoredArticle) -> dict[str, Any]:
        width = len(found.rows) // len(found.statements) if found.statements else 0
        shown = [_statement(s, found.rows[i * width : (i + 1) * width], i + 1) for i, s in enumerate(found.statements)]
        return {
            "article": found.article,
            "segments": segments(found.article.text, found.statements),
            "statements": shown,
            "targets": [row.target for row in found.rows[:width]],
            "warnings": found.warnings,
            "model": self._service.scorer.model_id,
            "speakers": len({s["speaker"] for s in shown if s["speaker"]}),
        }


def _statement(statement: Statement, rows: Sequence[StanceRow], number: int) -> dict[str, Any]:
    sides = {row.label for row in rows if row.label != "not_addressed" and not row.abstained}
    taken = sides - {"neutral"}
    return {
        "number": number,
        "text": " ".join(statement.text.split()),
        "speaker": statement.speaker.name if statement.speaker else None,
        "country": statement.speaker.country if statement.speaker else None,
        "cue": statement.cue,
        "kind": statement.quote_type,
        "rows": rows,
        "addressed": [row for row in rows if row.label != "not_addressed"],
        "tone": "mixed" if len(taken) > 1 else next(iter(taken or sides), "none"),
        "truncated": any(row.truncated for row in rows),
    }


def _request(values: Mapping[str, str]) -> ScoreRequest:
    names = [name.strip() for name in values["targets"].split(",") if name.strip()]
    article = {name: values[name].strip() or None for name in ("title", "outlet")}
    return ScoreRequest.model_validate({"articles": [{**article, "text": values["text"]}], "targets": names or None})


def _plain(error: Mapping[str, Any]) -> str:
    """Say in the form's words what pydantic says in JSON's."""
    place = error["loc"]
    limits = error.get("ctx", {})
    name = "targets" if place[0] == "targets" else str(place[-1])
    if name == "text" and error["type"] in ("string_too_short", "string_pattern_mismatch"):
        return "Paste the text of an article first."
    if error["type"] in ("string_too_long", "too_long"):
        what = "names" if error["type"] == "too_long" else "characters"
        return f"Too long: {name}, at most {limits['max_length']:,} {what}."
    return f"The {name} cannot be used: {error['msg']}."


async def _form_fields(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refusal(415, "content-type", "the form must be sent as application/x-www-form-urlencoded")
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        raise Refusal(400, "form", f"the form cannot be read: {error}") from error


def _with_cookie(response: Response, value: str, request: Request) -> Response:
    cookie: SimpleCookie = SimpleCookie({SESSION_COOKIE: value})
    made = cookie[SESSION_COOKIE]
    made["path"], made["httponly"], made["samesite"] = "/", True, "Strict"
    made["secure"] = came_by_tls(request)
    if not value:
        made["max-age"] = 0
    response.headers["set-cookie"] = made.OutputString()
    return response
