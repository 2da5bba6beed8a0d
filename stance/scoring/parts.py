"""Parts: the unit of work that is done once, stored at once and never lost.

A part is a run of articles whose borders follow from their content alone (content-defined chunking, Muthitacharoen,
Chen and Mazieres 2001, "A low-bandwidth network file system"): a part ends where the hash of an article's id says so.
Its key is the hash of all that is in it. So the same inputs give the same parts on every run, and when an input is
mended or added to, the parts around the change are new and all others are found again by their keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.articles import LocatedArticle
from stance.errors import Rejection
from stance.schema import stable_id
from stance.scoring.durable import put_in_place

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DEFAULT_SIZES", "Part", "PartInfo", "PartSizes", "PartStore", "parts_of"]

_MOST_CHARACTERS = 4_000_000
_INFO = b"stance.part"


@dataclass(frozen=True, slots=True)
class PartSizes:
    """How many articles make a part: at least, after that on average, and at most."""

    fewest: int = 64
    mean: int = 128
    most: int = 512


DEFAULT_SIZES = PartSizes()


@dataclass(frozen=True, slots=True)
class Part:
    """A run of articles.

    Parameters
    ----------
    key
        Hash of the articles' content, in order.
    articles
        The articles with their places.
    """

    key: str
    articles: list[LocatedArticle]


@dataclass(slots=True)
class PartInfo:
    """What is known of a finished part beside its rows.

    Parameters
    ----------
    articles, statements
        How many.
    warnings
        Doubts about its articles.
    rejected
        Articles that could not be scored; a part that has any is done again by a retry.
    """

    articles: int = 0
    statements: int = 0
    warnings: list[Rejection] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the record that is stored with the part."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> PartInfo:
        """Read what `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        notices = {name: [Rejection(**r) for r in raw[name]] for name in ("warnings", "rejected")}
        return cls(raw["articles"], raw["statements"], **notices)


def parts_of(articles: Iterable[LocatedArticle], sizes: PartSizes = DEFAULT_SIZES) -> Iterator[Part]:
    """Cut a stream of articles into parts; at most one part is held in memory."""
    held: list[LocatedArticle] = []
    digest, characters = hashlib.sha256(), 0
    for located in articles:
        held.append(located)
        a = located.article
        digest.update(json.dumps([a.id, a.text, a.title, a.outlet, a.published, a.url]).encode())
        characters += len(a.text)
        border = len(held) >= sizes.fewest and int(stable_id(a.id, "border", length=8), 16) % sizes.mean == 0
        if border or len(held) >= sizes.most or characters >= _MOST_CHARACTERS:
            yield Part(digest.hexdigest()[:32], held)
            held, characters, digest = [], 0, hashlib.sha256()
    if held:
        yield Part(digest.hexdigest()[:32], held)


class PartStore:
    """Finished parts in a folder, one Parquet file each, named by its key.

    A part is written under a temporary name, forced to disk and renamed, so that a file with a part's name is
    whole; its pages carry checksums, which are verified whenever it is read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.partial"):
            left.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.parquet"

    def write(self, key: str, table: pa.Table, info: PartInfo) -> None:
        """Store a part.

        Raises
        ------
        OSError
            If the disk does not take it; nothing is left of it then.
        """
        import pyarrow.parquet as pq

        path = self._path(key)
        partial = path.with_name(f".{key}.partial")
        metadata = {**(table.schema.metadata or {}), _INFO: info.to_json().encode()}
        try:
            with partial.open("wb") as file:
                pq.write_table(
                    table.replace_schema_metadata(metadata), file, compression="zstd", write_page_checksum=True
                )
            put_in_place(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def read(self, key: str) -> tuple[pa.Table, PartInfo] | None:
        """Return a part, or ``None`` if it is not there; one that is damaged is deleted and so counts as not there."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._path(key)
        if not path.is_file():
            return None
        try:
            table = pq.ParquetFile(path, page_checksum_verification=True).read()
            metadata = dict(table.schema.metadata)
            info = PartInfo.from_json(metadata.pop(_INFO))
        except (pa.ArrowException, OSError, KeyError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            return None
        return table.replace_schema_metadata(metadata), info

    def keep_only(self, keys: Iterable[str]) -> None:
        """Delete the parts of articles that are no longer in the inputs."""
        wanted = {self._path(key).name for key in keys}
        for path in self.folder.glob("*.parquet"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
