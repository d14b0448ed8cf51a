"""A cohort's gene table: one row a patient, one column a measurement of a gene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, Float32Array, IntArray

KINDS = ("rnaseq", "cnv", "mut")


@dataclass(frozen=True, eq=False)
class Genomics:
    """Gene values of ``n`` patients.

    Parameters
    ----------
    values : (n, p) float32 array
        NaN where a value is missing; a patient without genomics has a row of NaN. May be a read-only memory map.
    columns : tuple of p str
        Column names as ``SYMBOL_kind``, e.g. ``"TP53_mut"``; kinds are ``rnaseq``, ``cnv``, ``mut``.
    units : mapping of str to str
        Unit of each kind, e.g. ``{"rnaseq": "z-score", "mut": "0/1"}``.
    families : mapping of str to tuple of int
        Gene family → its column numbers. Families may overlap. ``{"all genes": ...}`` when none were given.
    """

    values: NDArray[np.float32]
    columns: tuple[str, ...]
    units: Mapping[str, str]
    families: Mapping[str, tuple[int, ...]]

    @property
    def present(self) -> BoolArray:
        """(n,) True for patients with at least one value."""
        found: BoolArray = np.asarray(np.isfinite(self.values).any(axis=1))
        return found

    def take(self, rows: IntArray | BoolArray) -> Genomics:
        """The same genes for a subset of patients."""
        return replace(self, values=self.values[rows])


def symbol_of(column: str) -> str:
    """Gene symbol of a column name: ``"RP11-707M1.1_mut"`` → ``"RP11-707M1.1"``."""
    return column.rpartition("_")[0] or column


def kind_of(column: str) -> str:
    """Kind of a column name: ``"TP53_mut"`` → ``"mut"``; ``"rnaseq"`` when the name carries none."""
    kind = column.rpartition("_")[2]
    return kind if kind in KINDS else "rnaseq"


def one_family(columns: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """The family map of a cohort for which no gene families were given."""
    return {"all genes": tuple(range(len(columns)))}


def as_float32(values: Any) -> Float32Array:
    """Values as a contiguous float32 matrix."""
    return np.ascontiguousarray(values, dtype=np.float32)
