"""Files of trained models that a user names: found, and known by their contents."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from core.errors import PrognoscopeError


def digest_of(path: str | Path, only: tuple[str, ...] = ("*",)) -> str:
    """SHA-256 over a file, or over the names and contents of a folder's files; computed once a process and state.

    ``only`` patterns of the files that count, of a folder.

    Features made with a model are kept under its contents, never under its path.
    """
    place = Path(path)
    if not place.exists():
        raise PrognoscopeError("no such file or folder", f"the model {place.name!r}", "name a model that is here")
    files = (
        (place,)
        if place.is_file()
        else tuple(sorted(p for p in place.rglob("*") if p.is_file() and any(map(p.match, only))))
    )
    states = tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)
    return _digest(str(place), states)


@cache
def _digest(place: str, states: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, size, _ in states:
        relative = Path(name).name if name == place else str(Path(name).relative_to(place))
        digest.update(f"{relative} {size} ".encode())
        with Path(name).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def checked_digest(path: str, known: str, what: str) -> str:
    """The digest of the model at ``path``; raises when features were made with other contents (``known``)."""
    digest = digest_of(path)
    if known and known != digest:
        raise PrognoscopeError("a model that has changed since", what, "restore it, or encode the cohort again")
    return digest
