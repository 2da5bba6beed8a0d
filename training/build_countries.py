"""Rebuild ``stance/quotes/data/countries.yaml`` from the library countryinfo: ``python -m training.build_countries``.

Names, demonyms with their regular plurals, and capitals of every country come from the library; offices, other
demonyms and exceptions from ``configs/offices.yaml``.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

__all__ = ["countries", "main"]

_ROOT = Path(__file__).resolve().parents[1]
_LIST = _ROOT / "configs" / "offices.yaml"
_WRITTEN = _ROOT / "stance" / "quotes" / "data" / "countries.yaml"
_NAMES = {
    "Republic of the Congo": "Congo Republic",
    "Czech Republic": "Czechia",
    "United States of America": "United States",
    "Republic of Korea": "South Korea",
    "Korea, Republic of": "South Korea",
    "Korea, Democratic People's Republic of": "North Korea",
    "Republic of Macedonia": "North Macedonia",
    "Burma": "Myanmar",
    "Swaziland": "Eswatini",
    "The Bahamas": "Bahamas",
    "The Gambia": "Gambia",
    "Vatican City State": "Holy See",
}
_OBSOLETE = ("Antilles néerlandaises", "Serbia and Montenegro", "Scotland", "Palestine, State of")  # or told twice
_REGULAR = re.compile(r"(?:an|[^aeiou]i|er|ek|ak|ot|ene|ino)$")  # demonyms whose plural ends in -s
_HEAD = (
    "# Written by training/build_countries.py from the library countryinfo and configs/offices.yaml: change that one.\n"
    '# Country: its names, demonyms, capital and offices; under "" what looks like them and tells no country.\n'
)


def countries(path: Path = _LIST) -> dict[str, list[str]]:
    """Return the words that tell for which country somebody speaks; each word belongs to one country only."""
    from countryinfo import all_countries

    kept: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    left_out = {form for word in kept["not_countries"] for form in _plain(word)}
    offices: dict[str, list[str]] = kept["offices"]
    taken = {word for words in offices.values() for word in words}
    found: dict[str, list[str]] = {"": kept["no_country"]}
    records = sorted((c.info() for c in all_countries()), key=lambda c: (-(c.get("population") or 0), c["name"]))
    for record in records:
        name = _NAMES.get(record["name"], record["name"])
        if record["name"] in _OBSOLETE or re.search(r"[,(/]", name):
            continue
        demonyms = [d.strip() for d in str(record.get("demonym") or "").split(",")]
        regular = [d for d in demonyms if _REGULAR.search(d) and not d.endswith(name) and d not in left_out]
        seat = record.get("capital") or ""
        seats = _plain(str(seat[0] if isinstance(seat, list) else seat))
        words = [name, *demonyms, *(f"{d}s" for d in regular), *seats]
        own = [w for w in dict.fromkeys(words) if len(w) > 3 and w not in left_out and w not in taken]
        taken.update(own)
        if own or name in offices:
            found[name] = list(dict.fromkeys([*found.get(name, []), *own, *offices.get(name, [])]))
    if unknown := set(offices) - set(found):
        raise ValueError(f"{path} names countries that the library does not know: {', '.join(sorted(unknown))}")
    return dict(sorted(found.items()))


def _plain(word: str) -> list[str]:
    """Return a word and, where it carries accents, its form without."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return [word] if bare == word else [word, bare]


def main() -> None:
    """Write the file."""
    written = yaml.safe_dump(countries(), allow_unicode=True, width=118, default_flow_style=None, sort_keys=True)
    _WRITTEN.write_text(_HEAD + written, encoding="utf-8")
    print(f"{len(countries()) - 1} countries")


if __name__ == "__main__":
    main()
