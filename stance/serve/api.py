"""The JSON interface: ``/v1/score``, ``/v1/classify``, ``/v1/targets``, ``/healthz`` and ``/metrics``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from pydantic_core import to_json
from starlette.responses import JSONResponse, Response
from starlette.types import Receive

from stance import __version__
from stance.schema import CONTRACT_VERSION, StanceRow
from stance.serve.metrics import METRICS_TYPE, Metrics
from stance.serve.service import Gone, ScoredArticle, Service
from stance.serve.wire import ClassifyRequest, ErrorAnswer, Health, ScoreRequest, TargetsAnswer, answers

__all__ = ["add_api", "classified", "leaving", "scored"]

_REFUSALS = {
    400: "No valid JSON, or not exactly one Host header",
    401: "The token is missing or wrong",
    403: "Sent by another site's page",
    408: "It did not arrive, or was not done, in time",
    409: "An id or a target comes twice",
    413: "Too long, or too many statements",
    415: "Content-Type is not application/json",
    421: "Addressed to another host name",
    422: "The JSON breaks the schema; each place is named",
    429: "Too much is waiting already",
    503: "The server is stopping",
}
_ALWAYS = (400, 401, 403, 413, 421)
_bearer = HTTPBearer(auto_error=False, description="The server's token. The guard in front has checked it already.")


def _responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {s: {"model": ErrorAnswer, "description": _REFUSALS[s]} for s in (*_ALWAYS, *statuses)}


def add_api(app: FastAPI, service: Service, metrics: Metrics, *, secured: bool) -> None:
    """Add the routes to an application.

    Parameters
    ----------
    app
        The application.
    service
        Answers the requests.
    metrics
        Shown by ``/metrics``.
    secured
        Whether the description says that a token is needed.
    """
    router = APIRouter(dependencies=[Depends(_bearer)] if secured else [])
    _add_scoring(router, service)
    _add_about(router, service, metrics)
    _add_health(app, service)
    app.include_router(router)


def _add_scoring(router: APIRouter, service: Service) -> None:
    scored_answer, classified_answer = answers(service.scorer.labels)
    refusals = _responses(408, 409, 415, 422, 429, 503)

    @router.post("/v1/score", response_model=scored_answer, responses=refusals, tags=["scoring"])
    async def score(body: ScoreRequest, request: Request) -> Response:
        """Find the statements of articles and score each toward every target."""
        return await scored(service, body, leaving(request.receive))

    @router.post("/v1/classify", response_model=classified_answer, responses=refusals, tags=["scoring"])
    async def classify(body: ClassifyRequest, request: Request) -> Response:
        """Score statements that are already found."""
        return await classified(service, body, leaving(request.receive))


def _add_about(router: APIRouter, service: Service, metrics: Metrics) -> None:
    @router.get("/v1/targets", response_model=TargetsAnswer, responses=_responses(), tags=["about"])
    async def targets() -> Response:
        """List the targets that are asked about if a request names none, and the labels."""
        scorer = service.scorer
        listed = [{"name": t.name, "aliases": list(t.aliases), "description": t.description} for t in scorer.targets]
        return JSONResponse({"targets": listed, "labels": list(scorer.labels), "model": scorer.model_id})

    content = {"text/plain": {"schema": {"type": "string"}}}
    about = "Counters in the text format of Prometheus"
    shown: dict[int | str, dict[str, Any]] = {200: {"description": about, "content": content}}

    @router.get("/metrics", response_class=Response, responses={**shown, **_responses()}, tags=["about"])
    async def counters() -> Response:
        """Show what the server has done, for Prometheus to scrape."""
        return Response(metrics.text(), media_type=METRICS_TYPE)


def _add_health(app: FastAPI, service: Service) -> None:
    statuses: dict[int | str, dict[str, Any]] = {
        400: {"model": ErrorAnswer, "description": _REFUSALS[400]},
        413: {"model": ErrorAnswer, "description": _REFUSALS[413]},
        421: {"model": ErrorAnswer, "description": _REFUSALS[421]},
        503: {"model": Health, "description": "The server is stopping, or the model no longer answers"},
    }

    @app.get("/healthz", response_model=Health, responses=statuses, tags=["about"])
    async def health() -> Response:
        """Tell whether requests are taken; needs no token."""
        alive = service.batcher.alive
        body = {
            "status": "ok" if alive else "stopping",
            "version": __version__,
            "model": service.scorer.model_id,
            "waiting": service.batcher.waiting,
        }
        return JSONResponse(body, 200 if alive else 503)


async def scored(service: Service, body: ScoreRequest, gone: Gone) -> Response:
    """Answer a request to ``/v1/score``."""
    found = await service.score(body, gone)
    rows = [row for article in found for row in article.rows]
    return _answer(service, rows, articles=[_article(article) for article in found])


async def classified(service: Service, body: ClassifyRequest, gone: Gone) -> Response:
    """Answer a request to ``/v1/classify``."""
    return _answer(service, await service.classify(body, gone))


def leaving(receive: Receive) -> Gone:
    """Return what waits until a request's client closes its connection."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            await asyncio.sleep(0)

    return gone


def _answer(service: Service, rows: Iterable[StanceRow], **parts: Any) -> Response:
    body = {"contract": CONTRACT_VERSION, "model": service.scorer.model_id, **parts}
    body["rows"] = [row.to_dict() for row in rows]
    return Response(to_json(body), media_type="application/json")


def _article(scored: ScoredArticle) -> dict[str, Any]:
    article = scored.article
    return {
        "id": article.id,
        "title": article.title,
        "outlet": article.outlet,
        "published": article.published,
        "url": article.url,
        "characters": len(article.text),
        "statements": len(scored.statements),
        "warnings": [{"rule": w.rule, "message": w.message} for w in scored.warnings],
    }
