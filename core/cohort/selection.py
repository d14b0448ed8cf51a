"""The one selection every chart of a page shares: filters, the rows they leave, and a count for each of them.

Named groups live in :mod:`core.cohort.groups`, modality combinations and exclusions in
:mod:`core.cohort.coverage`; both are offered here too, so that a page needs one import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import BoolArray
from core.cohort.cohort import Cohort
from core.cohort.coverage import Combination, Usable, combinations, exclusions, usable
from core.cohort.groups import Found, NamedGroup, Overlap, find_ids, overlap, selected_group
from core.cohort.modality import Modality
from core.errors import PrognoscopeError

__all__ = [
    "MISSING",
    "CategoryFilter",
    "Combination",
    "Filter",
    "FilterCount",
    "Found",
    "IdsFilter",
    "ModalityFilter",
    "NamedGroup",
    "Overlap",
    "RangeFilter",
    "Selected",
    "Selection",
    "Usable",
    "apply",
    "combinations",
    "exclusions",
    "find_ids",
    "overlap",
    "selected_group",
    "usable",
]  # fmt: skip

MISSING = "(missing)"


@dataclass(frozen=True)
class CategoryFilter:
    """Patients whose value of a column is one of ``values``; ``MISSING`` stands for an empty cell."""

    column: str
    values: tuple[str, ...]

    def mask(self, cohort: Cohort) -> BoolArray:
        column = _column(cohort, self.column)
        wanted = column.isin([v for v in self.values if v != MISSING])
        if not wanted.any() and column.dtype != object:
            wanted = column.map(_plain).isin(self.values)
        if MISSING in self.values:
            wanted = wanted | column.isna()
        return np.asarray(wanted, dtype=bool)

    def words(self, cohort: Cohort) -> str:
        """Text of the chip."""
        return f"{cohort.label(self.column)}: {', '.join(self.values)}"


@dataclass(frozen=True)
class RangeFilter:
    """Patients whose number lies in [low, high]; None leaves a side open. Missing values are out unless kept."""

    column: str
    low: float | None = None
    high: float | None = None
    keep_missing: bool = False

    def mask(self, cohort: Cohort) -> BoolArray:
        column = _column(cohort, self.column)
        if not pd.api.types.is_numeric_dtype(column):
            raise PrognoscopeError("a range on a column of words", f"column {self.column!r}", "choose values instead")
        values = column.to_numpy(dtype=float)
        with np.errstate(invalid="ignore"):
            inside = (values >= (-np.inf if self.low is None else self.low)) & (
                values <= (np.inf if self.high is None else self.high)
            )
        return np.asarray(inside | (np.isnan(values) if self.keep_missing else False), dtype=bool)

    def words(self, cohort: Cohort) -> str:
        """Text of the chip."""
        unit = f" {cohort.units[self.column]}" if self.column in cohort.units else ""
        label = cohort.label(self.column)
        if self.low is None or self.high is None:
            sign, bound = ("≤", self.high) if self.low is None else ("≥", self.low)
            return f"{label} {sign} {bound:g}{unit}" if bound is not None else label
        return f"{label} {self.low:g}-{self.high:g}{unit}"


@dataclass(frozen=True)
class ModalityFilter:
    """Patients who have (or, with ``present`` false, lack) a modality."""

    modality: str
    present: bool = True

    def mask(self, cohort: Cohort) -> BoolArray:
        name = str(Modality(self.modality))
        if name not in cohort.availability:
            return np.full(len(cohort), not self.present)
        return np.asarray(cohort.availability[name].to_numpy(dtype=bool) == self.present)

    def words(self, cohort: Cohort) -> str:
        """Text of the chip."""
        return f"{'with' if self.present else 'without'} {self.modality}"


@dataclass(frozen=True)
class IdsFilter:
    """Patients named one by one: a pasted list, a lasso in a chart, a named group."""

    ids: tuple[str, ...]
    label: str = "listed patients"

    def mask(self, cohort: Cohort) -> BoolArray:
        return np.asarray(cohort.patients.index.isin(self.ids), dtype=bool)

    def words(self, cohort: Cohort) -> str:
        """Text of the chip."""
        return f"{self.label} ({len(self.ids):,})"


Filter = CategoryFilter | RangeFilter | ModalityFilter | IdsFilter
_KINDS: Mapping[str, type[Any]] = {
    "category": CategoryFilter,
    "range": RangeFilter,
    "modality": ModalityFilter,
    "ids": IdsFilter,
}


@dataclass(frozen=True)
class FilterCount:
    """What one filter does.

    Parameters
    ----------
    filter : Filter
    matching : int
        Patients that pass it, the other filters aside.
    left : int
        Patients after it and all filters before it.
    returning : int
        Patients that come back when this filter alone is taken away.
    """

    filter: Filter
    matching: int
    left: int
    returning: int


@dataclass(frozen=True, eq=False)
class Selected:
    """Result of applying a selection: (n,) ``mask`` over the cohort's rows and a count for each filter."""

    mask: BoolArray
    counts: tuple[FilterCount, ...]

    @property
    def count(self) -> int:
        return int(self.mask.sum())


@dataclass(frozen=True)
class Selection:
    """Filters that all have to hold. Immutable, so that undo is a list of earlier selections."""

    filters: tuple[Filter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.filters)

    def with_filter(self, added: Filter) -> Selection:
        """With one more filter; one of the same kind on the same column, modality or label is replaced in place."""
        key = _key(added)
        if any(_key(f) == key for f in self.filters):
            return Selection(tuple(added if _key(f) == key else f for f in self.filters))
        return Selection((*self.filters, added))

    def without(self, removed: Filter) -> Selection:
        """Without one filter (the ✕ of its chip)."""
        return Selection(tuple(f for f in self.filters if f != removed))

    def apply(self, cohort: Cohort) -> Selected:
        """Rows that pass every filter; see :func:`apply`."""
        return apply(self, cohort)

    def as_json(self) -> list[dict[str, Any]]:
        """Plain dictionaries, for a saved view."""
        kind = {v: k for k, v in _KINDS.items()}
        return [{"kind": kind[type(f)], **asdict(f)} for f in self.filters]

    @classmethod
    def from_json(cls, value: Sequence[Mapping[str, Any]]) -> Selection:
        """Rebuild from :meth:`as_json`; raises for anything else."""
        filters = []
        for item in value:
            fields = {k: tuple(v) if isinstance(v, list) else v for k, v in item.items() if k != "kind"}
            try:
                filters.append(_KINDS[item["kind"]](**fields))
            except (KeyError, TypeError) as error:
                raise PrognoscopeError("an unknown filter", "a saved view", "make the selection again") from error
        return cls(tuple(filters))


def apply(selection: Selection, cohort: Cohort) -> Selected:
    """Rows of the cohort that pass every filter, with what each filter leaves and removes.

    Parameters
    ----------
    selection : Selection
    cohort : Cohort of n patients

    Raises
    ------
    PrognoscopeError
        When a filter names a column that the cohort lacks.
    """
    if not selection.filters:
        return Selected(np.ones(len(cohort), dtype=bool), ())
    masks = np.stack([f.mask(cohort) for f in selection.filters])
    failed = (~masks).sum(axis=0)
    after = np.logical_and.accumulate(masks, axis=0)
    counts = tuple(
        FilterCount(f, int(m.sum()), int(a.sum()), int(((failed == 1) & ~m).sum()))
        for f, m, a in zip(selection.filters, masks, after, strict=True)
    )
    return Selected(after[-1], counts)


def _key(item: Filter) -> tuple[str, str]:
    if isinstance(item, ModalityFilter):
        return ("modality", item.modality)
    if isinstance(item, IdsFilter):
        return ("ids", item.label)
    return ("column", item.column)


def _column(cohort: Cohort, name: str) -> pd.Series:
    if name not in cohort.patients:
        raise PrognoscopeError(f"no column {name!r}", f"cohort {cohort.name!r}", "remove the filter")
    return cohort.patients[name]


def _plain(value: Any) -> str:
    """A number as a chip writes it: ``2.0`` → ``"2"``."""
    return f"{value:g}" if isinstance(value, float) else str(value)
