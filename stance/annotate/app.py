"""The labelling page: server-rendered, with one small script; every change is on disk before it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from stance.annotate.assignment import next_item, progress, progress_of, take_item
from stance.annotate.jobs import TrainingJob
from stance.annotate.ratings import Aggregation, ratings_of_store
from stance.annotate.records import SECOND_LOOK_MODE
from stance.annotate.requests import read_change, read_form
from stance.annotate.security import cookie_name, csrf_token, guarded, open_session, session_key, sign_session
from stance.annotate.store import ADJUDICATOR, Store
from stance.corpus.records import decides
from stance.errors import AnnotationError, ConflictError, StanceError
from stance.serving.access import LOCAL_NAMES, WRONG_TOKEN_PAUSE, equal
from stance.serving.guard import came_by_tls

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stance.schema import Statement

__all__ = ["PageOptions", "create_app"]

_SECOND_LOOK = ("audit", "progress")
"""Pages from which a statement opens with what is said of it."""
_BACK = (*_SECOND_LOOK, "adjudicate", "")


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How the page behaves.

    Parameters
    ----------
    mode
        ``blind`` shows no suggestion of a model, ``suggestion`` shows the stored ones.
    guide
        Labelling guide as HTML that can be trusted.
    hosts
        Host names the server answers for.
    token
        What an annotator must enter besides a name; ``None`` if nothing.
    job
        What the training button starts; no button if not given.
    method
        How several labels become one in downloads.
    """

    mode: Literal["blind", "suggestion"] = "blind"
    guide: str = ""
    hosts: tuple[str, ...] = LOCAL_NAMES
    token: str | None = None
    job: TrainingJob | None = None
    method: Aggregation = "majority"


def create_app(store: Store, options: PageOptions | None = None) -> ASGIApp:
    """Return the ASGI application of a store."""
    pages = _Pages(store, options or PageOptions())
    static = Path(__file__).parent / "static"
    routes = [
        Route("/", pages.start),
        Route("/enter", pages.enter, methods=["POST"]),
        Route("/leave", pages.leave, methods=["POST"]),
        Route("/label", pages.label),
        Route("/progress", pages.progress),
        Route("/adjudicate", pages.adjudicate),
        Route("/audit", pages.audit),
        Route("/agreement", pages.agreement),
        Route("/train", pages.train),
        Route("/export/{kind}", pages.export),
        Route("/api/change", pages.change, methods=["POST"]),
        Route("/api/undo", pages.undo, methods=["POST"]),
        Route("/api/train", pages.train_state, methods=["GET"]),
        Route("/api/train", pages.train_start, methods=["POST"]),
        Route("/healthz", pages.health),
        Mount("/static", StaticFiles(directory=static)),
    ]
    app = Starlette(routes=routes, exception_handlers={StanceError: _refused, 404: pages.missing})
    return guarded(app, pages.options.hosts)


async def _refused(_: Request, error: Exception) -> Response:
    """Answer what the project itself refuses: 409 for a conflict, 422 for the rest, with the rule."""
    if isinstance(error, ConflictError):
        return JSONResponse({"error": str(error), "rule": "conflict", "state": _state_dict(error.state)}, 409)
    rule = error.rejection.rule if isinstance(error, AnnotationError) else type(error).__name__
    return JSONResponse({"error": str(error), "rule": rule}, 422)


def _state_dict(state: Any) -> dict[str, Any]:
    return dict(state.to_dict())


class _Pages:
    """The endpoints; each reads what it needs from the store, only the last audit and its vectors are held between."""

    def __init__(self, store: Store, options: PageOptions) -> None:
        self.store = store
        self.options = options
        self._auditing = Lock()
        self._audited: tuple[int, Any] | None = None  # with the last change it knew of
        self._vectors: dict[Statement, NDArray[np.float32]] = {}
        self._key = session_key(store.secret, options.token)
        self._cookie = cookie_name(store.id)
        self.templates = Environment(
            loader=PackageLoader("stance.annotate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self.templates.globals |= {"project": store.name, "labels": store.labels, "targets": store.targets}

    # who ---------------------------------------------------------------------------------------------------------

    def _who(self, request: Request) -> str | None:
        return open_session(request.cookies.get(self._cookie), self._key)

    def _page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        who = self._who(request)
        values |= {
            "who": who,
            "csrf": csrf_token(who or "", self.store.secret),
            "can_train": self.options.job is not None,
            "store_id": self.store.id,
            "public": who is not None or self.options.token is None,
            "here": request.url.path,
        }
        return HTMLResponse(self.templates.get_template(template).render(values), status)

    async def missing(self, request: Request, _: Exception) -> Response:
        """Answer 404 with a page."""
        message = "There is no such page or item."
        return self._page(request, "message.html", 404, title="Not found", message=message)

    def start(self, request: Request) -> Response:
        """Show the entry, or go on labelling."""
        if self._who(request):
            return RedirectResponse("/label", 303)
        return self._entry(request, "")

    def _entry(self, request: Request, problem: str, status: int = 200) -> Response:
        items = self.store.read("SELECT COUNT(*) AS n FROM item WHERE queued = 1")[0]["n"]
        needs_token = self.options.token is not None
        known = [] if needs_token else progress(self.store)
        return self._page(
            request, "enter.html", status, problem=problem, items=items, known=known, needs_token=needs_token
        )

    async def enter(self, request: Request) -> Response:
        """Take a name (and the token, if there is one) and set the session's cookie."""
        form = await read_form(request)
        if not equal(form.get("csrf", ""), csrf_token("", self.store.secret)):
            return await run_in_threadpool(self._entry, request, "The page was out of date; please try again.", 403)
        if self.options.token is not None and not equal(form.get("token", ""), self.options.token):
            await asyncio.sleep(WRONG_TOKEN_PAUSE)
            return await run_in_threadpool(self._entry, request, "The token is not right.", 403)
        try:
            name = await run_in_threadpool(self.store.enter, form.get("name", ""))
        except AnnotationError as error:
            return await run_in_threadpool(self._entry, request, error.rejection.message, 422)
        answer = RedirectResponse("/label", 303)
        value = sign_session(name, self._key)
        secure = came_by_tls(request)
        answer.set_cookie(self._cookie, value, 90 * 86400, path="/", secure=secure, httponly=True, samesite="strict")
        return answer

    async def leave(self, request: Request) -> Response:
        """Forget who is labelling in this browser."""
        form = await read_form(request)
        if not equal(form.get("csrf", ""), csrf_token(self._who(request) or "", self.store.secret)):
            return PlainRefusal(403, "The page was out of date.")
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(self._cookie, path="/")
        return answer

    # pages -------------------------------------------------------------------------------------------------------

    def label(self, request: Request) -> Response:
        """Show one item: the one asked for, or the next of the queue."""
        who = self._who(request)
        if who is None:
            return RedirectResponse("/", 303)
        asked = request.query_params.get("item")
        if asked is not None:
            take_item(self.store, asked, who)
        item = asked if asked is not None else next_item(self.store, who)
        mine = progress_of(self.store, who)
        if item is None:
            return self._page(request, "finished.html", mine=mine)
        back = request.query_params.get("from", "")
        return self._item(request, item, who, mine=mine, back=back if back in _BACK else "")

    def _item(self, request: Request, item: str, name: str, *, mine: Any, back: str) -> Response:
        try:
            stored = self.store.item(item)
        except AnnotationError:
            return self._page(request, "message.html", 404, title="Not found", message="There is no such item.")
        adjudicating = decides(name)
        shown = self.store.suggestions(item) if self.options.mode == "suggestion" and not adjudicating else {}
        others = _others(self.store, item) if adjudicating else {}
        return self._page(
            request,
            "label.html",
            item=stored,
            statement=stored.record.statement,
            state=self.store.state(item, name),
            suggestions=shown,
            others=others,
            agreed=_agreed(others),
            marks=_marks(self.store, item, name) if adjudicating or back in _SECOND_LOOK else [],
            adjudicating=adjudicating,
            looking=not adjudicating and self._is_second_look(item, name, back),
            mine=mine,
            back=back,
            guide=self.options.guide,
            doubts=self._doubts(item) if back == "audit" else [],
        )

    def progress(self, request: Request) -> Response:
        """Show everyone's progress, and what is flagged, noted or skipped."""
        if self._who(request) is None:
            return RedirectResponse("/", 303)
        marked = [
            (self.store.item(item), who, state)
            for item, who, state in self.store.states()
            if state.flagged or state.note or state.status == "skipped"
        ]
        finished = "SELECT 1 FROM state s WHERE s.item = i.id AND s.status = 'done' AND s.annotator NOT LIKE ?"
        query = f"SELECT COUNT(*) AS items, COALESCE(SUM(EXISTS ({finished})), 0) AS done FROM item i WHERE queued = 1"
        total = dict(self.store.read(query, (f"{ADJUDICATOR}%",))[0])
        return self._page(request, "progress.html", everyone=progress(self.store), marked=marked, **total)

    def adjudicate(self, request: Request) -> Response:
        """List what annotators label differently, or show one of them to be decided."""
        who = self._who(request)
        if who is None:
            return RedirectResponse("/", 303)
        asked = request.query_params.get("item")
        if asked is not None:
            return self._item(request, asked, ADJUDICATOR + who, mine=None, back="adjudicate")
        from stance.annotate.disputes import disputes

        return self._page(request, "disputes.html", disputes=disputes(self.store))

    def audit(self, request: Request) -> Response:
        """List suspected label errors, near-duplicates that differ, and annotators who differ."""
        if self._who(request) is None:
            return RedirectResponse("/", 303)
        if "renew" in request.query_params:
            self._audit(renew=True)
            return RedirectResponse("/audit", 303)
        audit = self._audit()
        return self._page(request, "audit.html", audit=audit, since=self._labelled_since())

    def _audit(self, *, renew: bool = False) -> Any:
        """Return the last audit: a new one takes seconds to minutes, so only where asked for and labels are others."""
        from stance.annotate.audit import audit

        if self._audited is not None and not renew:
            return self._audited[1]
        with self._auditing:
            if self._audited is None or (renew and self._labelled_since()):
                last = self.store.read("SELECT COALESCE(MAX(id), 0) AS last FROM entry")[0]["last"]
                self._audited = last, audit(self.store, self._vectors)
            return self._audited[1]

    def _labelled_since(self) -> set[str]:
        """Return the items whose labels may be others than in the last audit."""
        changed = "SELECT DISTINCT item FROM entry WHERE id > ? AND kind NOT IN ('note', 'flag', 'unflag')"
        return {row["item"] for row in self.store.read(changed, (self._audited[0] if self._audited else 0,))}

    def _doubts(self, item: str) -> list[str]:
        """Say why the last audit sends somebody to an item."""
        audit = self._audit()
        found = [
            f"{s.target}: labelled {_words(s.label)} (probability {s.p_label:.3f}), {_words(s.expected)} expected"
            for s in audit.suspects
            if s.item == item
        ]
        for d in audit.duplicates:
            if item in (d.first, d.second):
                sides = [(d.first_label, d.second_label, d.second_text), (d.second_label, d.first_label, d.first_text)]
                own, other, text = sides[item != d.first]
                found.append(f"{d.target}: labelled {_words(own)}, but {_words(other)} where it reads “{text}”")
        return found

    def agreement(self, request: Request) -> Response:
        """Show the agreement report of what is labelled so far."""
        if self._who(request) is None:
            return RedirectResponse("/", 303)
        from secrets import token_urlsafe

        from stance.annotate.agreement import measure_agreement
        from stance.annotate.report import render_agreement

        nonce = token_urlsafe(16)
        answer = HTMLResponse(
            render_agreement(measure_agreement(ratings_of_store(self.store)), nonce=nonce, links=True)
        )
        answer.headers["content-security-policy"] = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
        )
        return answer

    def export(self, request: Request) -> Response:
        """Download the labels in one of the formats."""
        if self._who(request) is None:
            return RedirectResponse("/", 303)
        from stance.annotate.formats import FORMATS, export_bytes

        kind = request.path_params["kind"]
        if kind not in FORMATS:
            return self._page(request, "message.html", 404, title="Not found", message="There is no such format.")
        body, ending = export_bytes(self.store, kind, self.options.method)
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in self.store.name)[:60] or "labels"
        disposition = f"attachment; filename*=UTF-8''{quote(safe)}-{kind}{ending}"
        return Response(body, media_type="application/octet-stream", headers={"content-disposition": disposition})

    # changes -----------------------------------------------------------------------------------------------------

    async def change(self, request: Request) -> Response:
        """Save one change and answer with the item's new state."""
        return await self._with_body(request, self._change)

    def _change(self, who: str, body: dict[str, Any]) -> Response:
        back = body.pop("back", "")
        if back not in _BACK:
            raise AnnotationError("back is no page to go back to", file="request", rule="request")
        item, base, change, adjudicating = read_change(body)
        name = who
        if adjudicating:
            if change.kind == "skip":
                raise AnnotationError("a decision cannot be skipped", file="request", rule="request")
            name = self.store.enter(who, adjudicator=True)
            change = replace(change, mode="adjudicate")
        elif self.options.mode == "suggestion":
            shown = {target: label for target, (label, _) in self.store.suggestions(item).items()}
            change = replace(change, mode="suggestion", suggestions=shown)
        if not adjudicating and self._is_second_look(item, who, back):
            change = replace(change, mode=SECOND_LOOK_MODE)
        return JSONResponse(self.store.save(item, name, change, base=base).to_dict())

    def _is_second_look(self, item: str, who: str, back: str) -> bool:
        """Tell whether the page showed what is said of an item, so that the label is no independent one."""
        return back == "audit" or (back == "progress" and bool(_marks(self.store, item, who)))

    async def undo(self, request: Request) -> Response:
        """Take back the annotator's last change; answers with its item."""
        return await self._with_body(request, self._undo)

    def _undo(self, who: str, body: dict[str, Any]) -> Response:
        token = body.get("token")
        name = ADJUDICATOR + who if body.get("adjudicate") is True else who
        found = self.store.undo(name, token=token if isinstance(token, str) else None)
        if found is None:
            return JSONResponse({"item": None})
        looked = any(row.mode == SECOND_LOOK_MODE for row in self.store.history(found[0], name))
        return JSONResponse({"item": found[0], "state": found[1].to_dict(), "looked": looked})

    async def _with_body(self, request: Request, act: Callable[[str, dict[str, Any]], Response]) -> Response:
        who = self._who(request)
        if who is None:
            return JSONResponse({"error": "nobody has entered", "rule": "session"}, 401)
        if not equal(request.headers.get("x-csrf-token", ""), csrf_token(who, self.store.secret)):
            return JSONResponse({"error": "the page is out of date: load it again", "rule": "csrf"}, 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return JSONResponse({"error": "send application/json", "rule": "content-type"}, 415)
        try:
            body = json.loads(await request.body())
            json.dumps(body, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
        except (ValueError, RecursionError):
            return JSONResponse({"error": "the body is not JSON", "rule": "json"}, 400)
        if not isinstance(body, dict):
            return JSONResponse({"error": "the body is no JSON object", "rule": "json"}, 400)
        return await run_in_threadpool(act, who, body)

    # training ----------------------------------------------------------------------------------------------------

    def train(self, request: Request) -> Response:
        """Show the training page with the learning curve of the last run."""
        if self._who(request) is None:
            return RedirectResponse("/", 303)
        if self.options.job is None:
            return self._page(request, "message.html", 404, title="Not found", message="Training is switched off.")
        from stance.annotate.curve import curve_svg

        job = self.options.job
        result = job.result()
        return self._page(
            request, "train.html", running=job.running, result=result, svg=curve_svg(result) if result else ""
        )

    def train_state(self, request: Request) -> Response:
        """Tell how far the training run is."""
        if self._who(request) is None or self.options.job is None:
            return JSONResponse({"error": "nobody has entered", "rule": "session"}, 401)
        return JSONResponse(self.options.job.state())

    async def train_start(self, request: Request) -> Response:
        """Start a training run, unless one is under way."""

        def begin(_: str, __: dict[str, Any]) -> Response:
            job = self.options.job
            if job is None:
                return JSONResponse({"error": "training is switched off", "rule": "training"}, 404)
            return JSONResponse({"started": job.start()}, 202)

        return await self._with_body(request, begin)

    def health(self, _: Request) -> Response:
        """Tell that the server answers and the store can be read; nothing of the project, since anyone may ask."""
        self.store.read("SELECT 1 FROM item LIMIT 1")
        return JSONResponse({"status": "ok"})


def PlainRefusal(status: int, message: str) -> Response:  # noqa: N802  # reads like the responses beside it
    """Return a refusal in plain text."""
    return Response(message, status, media_type="text/plain")


def _words(label: str) -> str:
    return label.replace("_", " ")


def _others(store: Store, item: str) -> dict[str, dict[str, str]]:
    """Return what of each annotator counts on an item, a second look above the rating, for the one who decides."""
    found = ratings_of_store(store, item)
    given: dict[str, dict[str, str]] = {}
    for each in (*found.ratings, *found.looks):
        given.setdefault(each.annotator, {}).update(each.labels)
    return dict(sorted(given.items()))


def _agreed(others: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the label by target where two or more gave one and all of them the same."""
    found: dict[str, list[str]] = {}
    for labels in others.values():
        for target, label in labels.items():
            found.setdefault(target, []).append(label)
    return {target: given[0] for target, given in found.items() if len(given) > 1 and len(set(given)) == 1}


def _marks(store: Store, item: str, besides: str) -> list[tuple[str, bool, str]]:
    """Return name, flag and note of the others who left one on an item."""
    query = (
        "SELECT annotator, flagged, note FROM state "
        "WHERE item = ? AND annotator <> ? AND (flagged = 1 OR note <> '') ORDER BY annotator"
    )
    return [(row["annotator"], bool(row["flagged"]), row["note"]) for row in store.read(query, (item, besides))]
