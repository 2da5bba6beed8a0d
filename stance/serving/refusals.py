"""Requests that are refused: one shape for every error a server answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

__all__ = ["Problem", "Refusal", "failure"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request.

    Parameters
    ----------
    where
        Place in the request, such as ``statements[3].id``.
    message
        What is wrong there.
    """

    where: str
    message: str


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818  # it is an answer, not a failure
    """A request that is not done.

    Parameters
    ----------
    status
        HTTP status of the answer.
    rule
        Short name of the rule that was broken; stable, for programs.
    message
        What is wrong and what would mend it, for people.
    problems
        Places in the request, where there are several.
    headers
        Further headers of the answer.
    """

    status: int
    rule: str
    message: str
    problems: Sequence[Problem] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Status code and its standard phrase."""
        known = {status.value: status.phrase for status in HTTPStatus}
        return f"{self.status} {known.get(self.status, '')}".strip()

    def to_dict(self) -> dict[str, Any]:
        """Return the body of the answer."""
        problems = [{"where": p.where, "message": p.message} for p in self.problems]
        return {"error": {"rule": self.rule, "message": self.message, "problems": problems}}


def failure() -> Refusal:
    """Return the answer to a request at which the server itself failed."""
    return Refusal(500, "internal", "the server failed at this request; its log says why")
