"""Feature files of CLAM and TRIDENT, looked at without running anything they hold.

``.h5``: datasets ``features`` (n, d) and ``coords`` (n, 2). ``.pt``: a tensor as PyTorch saves it since 1.6, a zip
with a ``data.pkl``; it is loaded later, with ``weights_only=True``. An older ``.pt`` is a bare pickle, which can run
code when it is read, and is refused.
"""

from __future__ import annotations

import pickle
import pickletools
import struct
import zipfile
import zlib
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from core.cohort.importers.media_files import ending

CHECKED_BYTES = 64 << 20
"""Features of at most so many bytes are checked for finite values at import, spread evenly; all are when encoded."""
# what the readers of a damaged file raise, as tried with thousands of them (tests/fuzz)
DAMAGED = (
    OSError, ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError, EOFError, MemoryError,
    RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile, struct.error, zlib.error,
)  # fmt: skip
MOST_PACKED = 1100
"""Bytes that a byte of a packed file can stand for (deflate: 1032)."""
_LARGEST_PICKLE = 8 << 20
MOST_VALUES = 1_000_000_000
"""Of one bag: 650 000 patches of 1 536 features. A packed file of a few bytes can declare any size."""
_ALLOWED = ("torch", "collections")


class Finding(Enum):
    """What a feature file turned out to be."""

    USABLE = "usable"
    UNUSABLE = "without features and coords of one length, or with values that are not finite"
    RUNS_CODE = "a pickle, which can run code when it is read"


def look_at(path: Path) -> Finding:
    """What a ``.h5`` or ``.pt`` file is."""
    return _look_at_h5(path) if ending(path) in (".h5", ".hdf5") else _look_at_torch(path)


def _look_at_h5(path: Path) -> Finding:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return Finding.USABLE if _is_whole(file) else Finding.UNUSABLE
    except DAMAGED:
        return Finding.UNUSABLE


def _is_whole(file: Any) -> bool:
    """True when features are (n, d) or (1, n, d) finite numbers and coords name a place for each of the n."""
    features, coords = plain_dataset(file, "features"), plain_dataset(file, "coords")
    if features is None or coords is None:
        return False
    shape, places = _without_first(features.shape), _without_first(coords.shape)
    if len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] > MOST_VALUES or places != (shape[0], 2):
        return False
    if features.dtype.kind not in "fiu" or coords.dtype.kind not in "fiu":
        return False
    rows = features if len(features.shape) == 2 else features[0]
    step = max(1, -(-shape[0] * shape[1] * features.dtype.itemsize // CHECKED_BYTES))
    block = max(1, (1 << 22) // shape[1])
    return all(
        bool(np.isfinite(np.asarray(rows[start : start + block], dtype=np.float64)).all())
        for start in range(0, shape[0], block * step)
    )


def plain_dataset(file: Any, name: str) -> Any | None:
    """A table that a .h5 file itself holds; None for a group, a link elsewhere, one whose numbers lie in another file,
    and one that promises far more of them than are there."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or not isinstance(file[name], h5py.Dataset):
        return None
    found = file[name]
    if found.is_virtual or found.external:
        return None
    return found if found.nbytes <= MOST_PACKED * max(1, found.id.get_storage_size()) else None


def _without_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[1:] if len(shape) == 3 and shape[0] == 1 else shape


def _look_at_torch(path: Path) -> Finding:
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
        if head.startswith(b"PK\x03\x04"):
            return _look_into_zip(path)
    except OSError:
        return Finding.UNUSABLE
    legacy = head[:1] == b"\x80" or head[257:262] == b"ustar"
    return Finding.RUNS_CODE if legacy else Finding.UNUSABLE


def _look_into_zip(path: Path) -> Finding:
    """The pickle inside a saved tensor only lists what rebuilds it; anything but tensors is refused unread."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(m.file_size for m in archive.infolist())
            if unpacked > 2 * path.stat().st_size + _LARGEST_PICKLE:  # PyTorch does not pack its tensors
                return Finding.UNUSABLE
            inside = [m for m in archive.infolist() if m.filename.rpartition("/")[2] == "data.pkl"]
            if len(inside) != 1 or inside[0].file_size > _LARGEST_PICKLE:
                return Finding.UNUSABLE
            codes = archive.read(inside[0])
        named = [str(a) for op, a, _ in pickletools.genops(codes) if op.name in ("GLOBAL", "INST")]
    except DAMAGED:
        return Finding.UNUSABLE
    harmless = all(n.partition(" ")[0].partition(".")[0] in _ALLOWED for n in named)
    return Finding.USABLE if harmless else Finding.RUNS_CODE
