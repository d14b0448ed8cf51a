"""Clinical columns as numbers, learned from the training fold alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import Float32Array


@dataclass(frozen=True)
class NumericColumn:
    """A numeric column: missing → the training median, then centred and scaled by the training fold."""

    name: str
    median: float
    mean: float
    scale: float


@dataclass(frozen=True)
class CategoryColumn:
    """A categorical column: one indicator for each level of the training fold but the most frequent one.

    An unseen level and a missing value become all zeros, that is the most frequent level.
    """

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class ClinicalEncoder:
    """A fitted encoder; ``names`` are the output columns."""

    numeric: tuple[NumericColumn, ...]
    categories: tuple[CategoryColumn, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> ClinicalEncoder:
        """Learn medians, scales and levels from the training patients; a constant column is left out."""
        numeric, categories = [], []
        for name in frame.columns:
            column = frame[name]
            if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
                values = column.to_numpy(dtype=float, na_value=np.nan)
                known = values[np.isfinite(values)]
                if len(known) and known.std() > 0:
                    median = float(np.median(known))
                    filled = np.where(np.isfinite(values), values, median)
                    numeric.append(NumericColumn(name, median, float(filled.mean()), float(1 / filled.std())))
            else:
                counts = column.astype("string").value_counts()
                if len(counts) > 1:
                    categories.append(CategoryColumn(name, tuple(sorted(str(v) for v in counts.index[1:]))))
        return cls(tuple(numeric), tuple(categories))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.numeric) + tuple(f"{c.name}={v}" for c in self.categories for v in c.levels)

    def transform(self, frame: pd.DataFrame) -> Float32Array:
        """(n, len(names)) float32."""
        parts = []
        for column in self.numeric:
            values = frame[column.name].to_numpy(dtype=float, na_value=np.nan)
            filled = np.where(np.isfinite(values), values, column.median)
            parts.append((filled - column.mean) * column.scale)
        for category in self.categories:
            values = frame[category.name].astype("string").fillna("").to_numpy(dtype=str)
            parts.extend((values == level).astype(float) for level in category.levels)
        stacked = np.stack(parts, axis=1) if parts else np.zeros((len(frame), 0))
        return stacked.astype(np.float32)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ClinicalEncoder:
        return cls(
            tuple(NumericColumn(**c) for c in value["numeric"]),
            tuple(CategoryColumn(c["name"], tuple(c["levels"])) for c in value["categories"]),
        )
