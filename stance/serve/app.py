"""The application: routes, errors, and the guard around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Scope

from stance import __version__
from stance.schema import Statement
from stance.scoring import Scorer, StatementRecord
from stance.serve.api import add_api
from stance.serve.batching import Batcher
from stance.serve.guard import CountingGuard, Sessions
from stance.serve.metrics import Metrics
from stance.serve.options import ServeOptions
from stance.serve.pages import STATIC, Pages
from stance.serve.service import Service
from stance.serve.shortcut import Shortcut
from stance.serving.refusals import Problem, Refusal, failure

__all__ = ["create_app"]

_DESCRIPTION = (
    "Who said what in the news, and which side they take: English articles or statements in, "
    "one row per statement and target out."
)
_COUNTED = frozenset(
    {"/", "/docs", "/healthz", "/login", "/logout", "/metrics", "/openapi.json"}
    | {"/v1/score", "/v1/classify", "/v1/targets"}
)


def create_app(scorer: Scorer, options: ServeOptions | None = None) -> ASGIApp:
    """Return the server as an ASGI application.

    The model's threads start and end with the application's lifespan.

    Parameters
    ----------
    scorer
        Model and default targets; nobody else may use it meanwhile.
    options
        Limits, token and host names; the defaults if not given.
    """
    options = options or ServeOptions()
    metrics = Metrics(scorer.model_id, scorer.labels)
    batcher = Batcher(scorer, metrics, batch=options.batch, linger=options.linger, max_waiting=options.max_waiting)
    service = Service(scorer, batcher, options)
    sessions = Sessions(options.token)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        batcher.start(asyncio.get_running_loop().call_soon_threadsafe)
        warm = StatementRecord(Statement(id="warm-up", text="The first answer should not be the slowest one."))
        await asyncio.wrap_future(batcher.submit([warm]))
        yield
        service.close()
        await asyncio.to_thread(batcher.stop, options.timeout)

    app = FastAPI(
        title="stance",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    pages = Pages(service, sessions, app.openapi)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    add_api(app, service, metrics, secured=sessions.needed)
    pages.add_to(app)

    def answer(scope: Scope, refusal: Refusal) -> Response:
        metrics.refused.labels(refusal.rule).inc()
        if refusal.status == 499:
            return Response(status_code=499)
        if "text/html" in Headers(scope=scope).get("accept", ""):
            return pages.refused(refusal)
        return JSONResponse(refusal.to_dict(), refusal.status, dict(refusal.headers))

    _add_error_answers(app, answer)
    return CountingGuard(Shortcut(app, service, answer), answer, options, metrics, sessions, _COUNTED)


def _add_error_answers(app: FastAPI, answer: Any) -> None:
    """Give every error the shape of `Refusal`."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Exception) -> Response:
        return answer(request.scope, error)  # type: ignore[no-any-return]

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # registered for this class
        return answer(request.scope, _invalid(error))  # type: ignore[no-any-return]

    @app.exception_handler(HTTPException)
    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # registered for this class
        return answer(request.scope, _from_http(request, error))  # type: ignore[no-any-return]

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return answer(request.scope, failure())  # type: ignore[no-any-return]


def _invalid(error: RequestValidationError) -> Refusal:
    """Name each place that breaks the schema; never echo what was sent."""
    found = [_problem(item) for item in error.errors()[:20]]
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return Refusal(400, "json", "the body is not valid JSON", found)
    count = len(error.errors())
    more = f", the first {len(found)} are listed" if count > len(found) else ""
    return Refusal(422, "invalid", f"{count} problem(s) in the request{more}", found)


def _problem(item: Mapping[str, Any]) -> Problem:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]]
    return Problem("".join(parts).lstrip(".").encode("ascii", "backslashreplace").decode()[:200], str(item["msg"]))


def _from_http(request: Request, error: HTTPException) -> Refusal:
    headers = dict(error.headers or {})
    if error.status_code == 404:
        return Refusal(404, "not-found", "there is nothing at this address; /docs lists what there is", headers=headers)
    if error.status_code == 405:
        allowed = headers.get("Allow", headers.get("allow", ""))
        message = f"{request.method} is not possible here, only {allowed}"
        return Refusal(405, "method", message, headers=headers)
    rule = "json" if error.status_code == 400 else "http"
    return Refusal(error.status_code, rule, str(error.detail), headers=headers)
