"""Names to look for in bytes: known ones, or erased ones of which only keyed hashes are left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.cohort.tombstones import Tombstone, TombstoneKey

SHORTEST, SHORTEST_NUMBER = 4, 6
"""A shorter name, or shorter number, stands in any bytes by chance: it is looked for as a whole value alone."""
BLOCK = 1 << 17
LONGEST = 512
"""Bytes a name may have; blocks overlap by as many."""


class Needles(Protocol):
    """Names to find."""

    def in_bytes(self, data: bytes) -> bool:
        """Whether one of them stands in the data, not as a part of a longer word or number."""

    def among(self, values: Iterable[str]) -> bool:
        """Whether one of them is one of the values as a whole."""


def _too_short(length: int, digits: bool) -> bool:
    return length < (SHORTEST_NUMBER if digits else SHORTEST)


def _alone(data: bytes, start: int, end: int, digits: bool) -> bool:
    """Whether the bytes are no part of a longer word, or of a longer number."""
    before, after = data[start - 1 : start] if start else b"", data[end : end + 1]
    if before.isalnum() or after.isalnum():
        return False
    return not digits or (before != b"." and not re.match(rb"\.\d", data[end : end + 2]))


class KnownNames:
    """Names in plain."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(n for n in names if n))
        self._long = [(n.encode(), n.isdigit()) for n in self.names if not _too_short(len(n.encode()), n.isdigit())]

    def in_bytes(self, data: bytes) -> bool:
        """As :meth:`Needles.in_bytes`."""
        for raw, digits in self._long:
            start = data.find(raw)
            while start >= 0:
                if _alone(data, start, start + len(raw), digits):
                    return True
                start = data.find(raw, start + 1)
        return False

    def among(self, values: Iterable[str]) -> bool:
        """As :meth:`Needles.among`."""
        return not set(self.names).isdisjoint(values)


class ErasedNames:
    """Names that are known by their tombstones alone.

    Every place in the data is compared at once: with C[i] = Σ_{j<i} (b[j] + 1) · p^j modulo 2^64, the window of length
    L at i has the keyed sum (C[i + L] − C[i]) · p^(−i). What agrees is then hashed and compared with the tombstone.
    """

    def __init__(self, stones: Sequence[Tombstone], key: TombstoneKey) -> None:
        self.stones, self.key = tuple(stones), key
        self._digests = {t.digest: t for t in stones}
        self._by_length: dict[int, list[Tombstone]] = {}
        for stone in stones:
            if not _too_short(stone.length, stone.digits):
                self._by_length.setdefault(stone.length, []).append(stone)
        self._lengths = {t.length for t in stones}

    @cached_property
    def _powers(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        size = BLOCK + LONGEST + 1
        inverse = pow(self.key.base, -1, 1 << 64)
        return _geometric(self.key.base, size), _geometric(inverse, size)

    def in_bytes(self, data: bytes) -> bool:
        """As :meth:`Needles.in_bytes`, for at most ``BLOCK + LONGEST`` bytes."""
        if not self._by_length or not data:
            return False
        weights, inverse = self._powers
        values = np.frombuffer(data, dtype=np.uint8).astype(np.uint64) + np.uint64(1)
        sums = np.zeros(len(values) + 1, dtype=np.uint64)
        np.cumsum(values * weights[: len(values)], out=sums[1:])
        for length, stones in self._by_length.items():
            places = len(values) - length + 1
            if places < 1:
                continue
            windows = (sums[length:] - sums[:places]) * inverse[:places]
            for stone in stones:
                for start in np.flatnonzero(windows == np.uint64(stone.window)):
                    if self._is(data, int(start), stone):
                        return True
        return False

    def among(self, values: Iterable[str]) -> bool:
        """As :meth:`Needles.among`."""
        raws = (v.encode() for v in values)
        return any(self.key.digest(raw) in self._digests for raw in raws if len(raw) in self._lengths)

    def _is(self, data: bytes, start: int, stone: Tombstone) -> bool:
        end = start + stone.length
        return self.key.digest(data[start:end]) == stone.digest and _alone(data, start, end, stone.digits)


def _geometric(base: int, size: int) -> NDArray[np.uint64]:
    """1, base, base² … modulo 2^64, by doubling."""
    found = np.ones(size, dtype=np.uint64)
    done, factor = 1, base
    while done < size:
        more = min(done, size - done)
        found[done : done + more] = found[:more] * np.uint64(factor)
        done, factor = done + more, (factor * factor) & ((1 << 64) - 1)
    return found
