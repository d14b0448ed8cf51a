"""In which unit and on which scale a run's genes were, and whether another cohort's are on the same.

Each kind of column (expression, copy number, mutation) is judged by itself, by name and by distribution.

**By name.** Units are compared by what they say of the scale (z-score, log2, counts, calls …). Two units that say
different things do not match, whatever the numbers look like; a unit that says nothing ("as given") is judged by its
distribution alone.

**By distribution.** A kind that is all whole numbers in training (calls, 0/1) must be so in the other cohort for at
least 90 % of its values, and at most 1 % may lie outside the training range. Any other kind is centred and divided
column by column with the training patients' median and interquartile range. Matched values then have column medians
near 0 and a spread of the pooled values near 1; they do not match when the typical column lies more than
:data:`SHIFT` interquartile ranges off or the spread is not within 1/:data:`SPREAD` to :data:`SPREAD` times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.arrays import Float32Array
from core.cohort.genomics import kind_of

SHIFT = 1.5
SPREAD = 3.0
WHOLE, WHOLE_HERE, OUTSIDE = 0.99, 0.90, 0.01
_FEWEST_COLUMNS = 5

_FAMILIES = (
    ("z-score", r"z[- _]?score|standard deviations"),
    ("log2 ratio", r"log ?2[- _]?ratio|segment mean"),
    ("log2", r"log ?2|lg2"),
    ("log10", r"log ?10"),
    ("log", r"\bln\b|\blog\b|log1p"),
    ("calls", r"\bcalls?\b|gistic|discrete"),
    ("0/1", r"0/1|binary|mutated"),
    ("counts", r"count|tpm|fpkm|rpkm|rsem|reads"),
)


def unit_family(unit: str) -> str:
    """What a unit says of the scale: one of a few words, or ``""`` for one that says nothing known."""
    return next((name for name, pattern in _FAMILIES if re.search(pattern, unit.lower())), "")


@dataclass(frozen=True)
class KindScale:
    """Scale of one kind of column among the training patients; ``whole`` the share of whole numbers."""

    unit: str
    whole: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class GeneScales:
    """Scales of all g columns of a run.

    ``kinds`` kind → scale · ``median``, ``spread`` (g,) of each column among the training patients (spread: the
    interquartile range), row for row with ``columns``.
    """

    columns: tuple[str, ...]
    kinds: Mapping[str, KindScale]
    median: Float32Array
    spread: Float32Array

    @classmethod
    def of(cls, values: Float32Array, columns: tuple[str, ...], units: Mapping[str, str]) -> GeneScales:
        """Scales of the (n, g) raw values; a column without any value has median and spread 0."""
        filled = np.where(np.isfinite(values), values, np.nan)
        empty = ~np.isfinite(filled).any(axis=0)
        low, median, high = np.nanquantile(np.where(empty, 0.0, filled), [0.25, 0.5, 0.75], axis=0)
        kinds = {}
        for kind, members in columns_of(columns).items():
            known = filled[:, members][np.isfinite(filled[:, members])]
            if len(known):
                whole = float(np.mean(known == np.round(known)))
                kinds[kind] = KindScale(units.get(kind, ""), whole, float(known.min()), float(known.max()))
        return cls(columns, kinds, median.astype(np.float32), (high - low).astype(np.float32))

    def mismatch(self, kind: str, values: Float32Array, unit: str) -> str:
        """Why the (n, g) ``values`` (in this run's columns, NaN where missing) do not match in ``kind``, or ``""``."""
        scale = self.kinds.get(kind)
        members = columns_of(self.columns).get(kind, np.zeros(0, dtype=np.int64))
        part = values[:, members]
        if scale is None or not np.isfinite(part).any():
            return ""
        here, there = unit_family(unit), unit_family(scale.unit)
        if here and there and here != there:
            return f"{kind} in {unit!r}, the run was trained on {scale.unit!r}"
        if scale.whole >= WHOLE:
            return _of_whole_numbers(kind, part, scale)
        return self._of_numbers(kind, part, members)

    def _of_numbers(self, kind: str, part: Float32Array, members: Any) -> str:
        usable = (self.spread[members] > 0) & np.isfinite(part).any(axis=0)
        if int(usable.sum()) < _FEWEST_COLUMNS:
            return ""
        moved = (part[:, usable] - self.median[members][usable]) / self.spread[members][usable]
        shift = float(np.median(np.abs(np.nanmedian(moved, axis=0))))
        low, high = np.nanquantile(moved, [0.25, 0.75])
        spread = float(high - low)
        if shift > SHIFT:
            return (
                f"{kind} on another scale: the typical column lies {shift:.1f} interquartile ranges of the training "
                f"patients away from theirs (at most {SHIFT:g} is taken for the same scale)"
            )
        if not 1 / SPREAD <= spread <= SPREAD:
            return (
                f"{kind} on another scale: its values spread {spread:.2g} times as wide as the training patients' "
                f"(1/{SPREAD:g} to {SPREAD:g} is taken for the same scale)"
            )
        return ""


def _of_whole_numbers(kind: str, part: Float32Array, scale: KindScale) -> str:
    known = part[np.isfinite(part)]
    whole = float(np.mean(known == np.round(known)))
    outside = float(np.mean((known < scale.low) | (known > scale.high)))
    if whole < WHOLE_HERE:
        return f"{kind} on another scale: {1 - whole:.0%} are no whole numbers, the run was trained on whole numbers"
    if outside > OUTSIDE:
        return f"{kind} on another scale: {outside:.0%} lie outside the training range {scale.low:g} to {scale.high:g}"
    return ""


def columns_of(columns: tuple[str, ...]) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Kind → numbers of its columns."""
    kinds = np.array([kind_of(c) for c in columns])
    return {str(k): np.flatnonzero(kinds == k) for k in np.unique(kinds)} if len(kinds) else {}
