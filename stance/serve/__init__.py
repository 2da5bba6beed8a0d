"""Scoring over HTTP: a JSON interface, and a page that highlights the statements of an article.

Needs the extra ``serve``. The parts, outermost first: `server` binds the socket and stops gracefully, `protocol` parses
HTTP, `guard` refuses what must not come in, `shortcut`, `api` and `pages` answer, `service` joins extraction and model,
`batching` runs the model. What the labelling page needs too is in `stance.serving`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stance.errors import MissingExtraError
from stance.serve.options import ServeOptions

if TYPE_CHECKING:
    from stance.serve.app import create_app
    from stance.serve.batching import Batcher
    from stance.serve.server import serve

__all__ = ["Batcher", "ServeOptions", "create_app", "serve"]

_HOME = {"Batcher": "batching", "create_app": "app", "serve": "server"}
_NEEDED = ("fastapi", "httptools", "jinja2", "prometheus_client", "uvicorn")


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'stance.serve' has no attribute {name!r}")
    for package in _NEEDED:
        try:
            import_module(package)
        except ImportError as error:
            raise MissingExtraError("stance serve", "serve") from error
    return getattr(import_module(f"stance.serve.{_HOME[name]}"), name)
