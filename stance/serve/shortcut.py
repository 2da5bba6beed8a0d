"""The short way to the two answers that come by the hundred a second."""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stance.serve.api import classified, leaving, scored
from stance.serve.service import Gone, Service
from stance.serve.wire import ClassifyRequest, ScoreRequest
from stance.serving.guard import replayed
from stance.serving.refusals import Refusal, failure

__all__ = ["Shortcut"]


class Shortcut:
    """ASGI middleware that answers good requests to ``/v1/score`` and ``/v1/classify`` itself.

    The framework's routing and dependencies take a tenth of a millisecond, nearly as long as all else that is done
    from the body to the answer. Whatever is not plainly good goes on to the framework, whose routes name what is wrong.

    Parameters
    ----------
    app
        The framework's application, with the same two routes.
    service
        Answers the requests.
    answer
        Turns a refusal into an answer for a request's scope.
    """

    def __init__(self, app: ASGIApp, service: Service, answer: Callable[[Scope, Refusal], ASGIApp]) -> None:
        self._app = app
        self._service = service
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whose body the guard has read whole."""
        kind = _KINDS.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if kind is None:
            await self._app(scope, receive, send)
            return
        body: bytes = (await receive())["body"]
        try:
            request = kind.model_validate(json.loads(body))
        except (ValueError, RecursionError):
            await self._app(scope, replayed(body, receive), send)
            return
        try:
            response: ASGIApp = await self._response(request, leaving(receive))
        except Refusal as refusal:
            response = self._answer(scope, refusal)
        except Exception:
            await self._answer(scope, failure())(scope, receive, send)
            raise  # for the log
        await response(scope, receive, send)

    async def _response(self, request: ScoreRequest | ClassifyRequest, gone: Gone) -> Response:
        if isinstance(request, ScoreRequest):
            return await scored(self._service, request, gone)
        return await classified(self._service, request, gone)


_KINDS: dict[str, type[ScoreRequest] | type[ClassifyRequest]] = {
    "/v1/score": ScoreRequest,
    "/v1/classify": ClassifyRequest,
}
