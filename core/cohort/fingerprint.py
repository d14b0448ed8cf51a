"""What tells one file from another without its name: names may repeat a patient's id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from core.results.files import sha256_of

WHOLE = 8 << 20
"""Bytes up to which a medium is hashed whole."""
_END = 1 << 20
PARTIAL_NOTE = "A medium of more than 8 MB is told apart by its size and its first and last MB, not by all its bytes."


def fingerprint(path: Path) -> str:
    """Hex SHA-256 of a file, or of the files below a folder whatever their names are.

    Above 8 MB it is the hash of the size and of the first and last MB: a cohort's slides may be a terabyte. A file
    that cannot be read has the fingerprint of nothing; it is reported where it is encoded.
    """
    if path.is_dir():
        return combined(fingerprint(p) for p in path.rglob("*") if p.is_file())
    try:
        size = path.stat().st_size
        return sha256_of(path) if size <= WHOLE else _of_ends(path, size)
    except OSError:
        return hashlib.sha256().hexdigest()


def is_partial(path: Path) -> bool:
    """True when the fingerprint does not read every byte."""
    files = path.rglob("*") if path.is_dir() else (path,)
    return any(p.is_file() and p.stat().st_size > WHOLE for p in files)


def combined(fingerprints: Iterable[str]) -> str:
    """One hash of several, whatever order they come in."""
    return hashlib.sha256("\n".join(sorted(fingerprints)).encode()).hexdigest()


def _of_ends(path: Path, size: int) -> str:
    digest = hashlib.sha256(f"{size}|".encode())
    with path.open("rb") as stream:
        digest.update(stream.read(_END))
        stream.seek(-_END, 2)
        digest.update(stream.read(_END))
    return digest.hexdigest()
