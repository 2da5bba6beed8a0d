"""Where rejections and warnings go."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from stance.errors import InputError, Rejection

__all__ = ["Notices", "Notify"]

Notify = Callable[[Rejection], None]


@dataclass(frozen=True, slots=True)
class Notices:
    """Collects what happens to inputs.

    Parameters
    ----------
    on_reject
        Called for each input left out; if ``None`` the first one raises `error`.
    on_warn
        Called for each doubt about an input that is used all the same; if ``None`` it becomes a Python warning.
    error
        Class of the error raised.
    """

    on_reject: Notify | None
    on_warn: Notify | None
    error: type[InputError]

    def reject(self, file: str, record: int | None, rule: str, message: str) -> None:
        """Report an input that is left out."""
        if self.on_reject is None:
            raise self.error(message, file=file, record=record, rule=rule)
        self.on_reject(Rejection(file, record, rule, message))

    def warn(self, file: str, record: int | None, rule: str, message: str) -> None:
        """Report a doubt about an input that is used."""
        rejection = Rejection(file, record, rule, message)
        if self.on_warn is None:
            warnings.warn(str(rejection), stacklevel=2)
        else:
            self.on_warn(rejection)
