"""The manifest of a run: what its parts were made from and with. Parts of different makes are never mixed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self

from stance import __version__
from stance.errors import OutputError, Rejection, ResumeError
from stance.schema import CONTRACT_VERSION
from stance.scoring.durable import write_json
from stance.scoring.parts import PartSizes
from stance.scoring.scorer import Scorer

__all__ = ["Manifest", "open_work", "remove_work"]

_FILE = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run works with.

    Parameters
    ----------
    format
        Version of the folder's layout.
    model
        Name and content hash of the model.
    config
        Hash of `settings`.
    settings
        Everything else that the rows depend on.
    inputs
        Path, size in bytes and SHA-256 of each input file.
    """

    format: int
    model: str
    config: str
    settings: dict[str, Any]
    inputs: list[dict[str, Any]]

    @classmethod
    def of(cls, scorer: Scorer, inputs: Sequence[Path], sizes: PartSizes) -> Self:
        """Return the manifest of a run that begins now; reads every input once to hash it."""
        engine = scorer.classifier.engine
        settings = {
            "stance": __version__,
            "contract": CONTRACT_VERSION,
            "engine": f"{engine.name} ({engine.version})",
            "extractor": scorer.extractor,
            "targets": [target.name for target in scorer.targets],
            "labels": list(scorer.labels),
            "articles_per_part": [sizes.fewest, sizes.mean, sizes.most],
            "own_voice": scorer.own_voice,
            "abstain_thresholds": scorer.classifier.config.abstain_thresholds(),
            **({"aliases": scorer.aliases} if scorer.aliases else {}),
        }
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        return cls(_FORMAT, scorer.model_id, digest, settings, [_hashed(path) for path in inputs])

    def differences(self, other: Manifest) -> list[str]:
        """Return in words what this run does otherwise than `other`, inputs aside."""
        found = []
        if self.model != other.model:
            found.append(f"model {other.model}, now {self.model}")
        for name in dict.fromkeys([*other.settings, *self.settings]):
            then, now = other.settings.get(name), self.settings.get(name)
            if then != now:
                found.append(f"{name} {_shown(then)}, now {_shown(now)}")
        return found


def open_work(
    stack: ExitStack, folder: Path, manifest: Manifest, on_warn: Callable[[Rejection], None], *, restart: bool
) -> None:
    """Make or take up the folder of a run, and keep every other process out of it until `stack` ends.

    Raises
    ------
    ResumeError
        If the folder belongs to a run with another model or configuration, or to a process that is at work.
    OutputError
        If it cannot be written.
    """
    _remove_leftover(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _lock(stack, folder)
        if restart:
            shutil.rmtree(folder / "parts", ignore_errors=True)
            (folder / _FILE).unlink(missing_ok=True)
        earlier = _read(folder)
        if earlier is not None:
            _compare(folder, manifest, earlier, on_warn)
        write_json(folder / _FILE, asdict(manifest))
    except OSError as error:
        raise OutputError(f"{folder}: cannot write: {error.strerror or error}") from error


def remove_work(folder: Path) -> None:
    """Delete the folder of a finished run: renamed first, so that a half-deleted one is never taken for a run's."""
    grave = _grave(folder)
    os.rename(folder, grave)
    shutil.rmtree(grave, ignore_errors=True)


def _grave(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.done")


def _remove_leftover(folder: Path) -> None:
    shutil.rmtree(_grave(folder), ignore_errors=True)


def _lock(stack: ExitStack, folder: Path) -> None:
    file: IO[str] = stack.enter_context((folder / "lock").open("w"))
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once are the user's affair there
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ResumeError(f"{folder}: another process is at work on this output") from error


def _read(folder: Path) -> Manifest | None:
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != _FORMAT:
            raise ResumeError(f"{folder}: written by another version of stance; --restart throws it away")
        return Manifest(**raw)
    except (ValueError, KeyError, TypeError) as error:
        raise ResumeError(f"{path}: damaged manifest ({error}); --restart throws the finished parts away") from error


def _compare(folder: Path, now: Manifest, then: Manifest, on_warn: Callable[[Rejection], None]) -> None:
    differences = now.differences(then)
    if differences:
        raise ResumeError(
            f"{folder} holds finished parts of a run begun with {'; '.join(differences)}. Go on with what it was begun "
            "with, or give --restart to throw those parts away"
        )
    before = {record["file"]: record["sha256"] for record in then.inputs}
    for record in now.inputs:
        if before.get(record["file"], record["sha256"]) != record["sha256"]:
            message = "changed since the run began; its changed articles are scored anew"
            on_warn(Rejection(record["file"], None, "input-changed", message))


def _hashed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return {"file": str(path), "bytes": file.tell(), "sha256": digest}
    except OSError as error:  # the reader will name it as unreadable
        return {"file": str(path), "bytes": None, "sha256": f"unreadable: {error.strerror}"}


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
