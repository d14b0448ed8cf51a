"""Which clinical values a model can be asked about: those it has seen, alone and together."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from core.errors import PrognoscopeError

ONE_THING = 0.98
"""Rank correlation from which two numbers are taken for one thing measured twice."""


def is_number(column: pd.Series) -> bool:
    """Whether a clinical column holds numbers rather than levels."""
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def observed_range(column: pd.Series) -> tuple[float, float]:
    """Smallest and largest known value of a number."""
    known = column.to_numpy(dtype=float, na_value=np.nan)
    known = known[np.isfinite(known)]
    return (float(known.min()), float(known.max())) if len(known) else (float("nan"), float("nan"))


def observed_levels(column: pd.Series) -> tuple[str, ...]:
    """Known levels of a category, sorted."""
    return tuple(sorted(str(v) for v in column.dropna().astype("string").unique()))


def check_changes(train: pd.DataFrame, patient: pd.Series, changes: Mapping[str, float | str]) -> None:
    """Raise for a value no training patient has, or a combination none of them could have.

    Parameters
    ----------
    train : DataFrame
        Clinical columns of the patients the models were trained on.
    patient : Series
        The patient's values with the changes made.
    changes : mapping of column to new value
    """
    for name, value in changes.items():
        if name not in train:
            raise _refused(f"no clinical input {name!r}", f"use one of {', '.join(map(str, train.columns))}")
        _check_alone(train[name], name, value)
    for name, other in product(changes, train.columns):
        if other != name and other not in changes and is_number(train[name]) and is_number(train[other]):
            _check_one_thing(train, name, str(other))
        if other != name and not is_number(train[name]) and not is_number(train[other]):
            _check_together(train, patient, name, str(other))


def _check_alone(column: pd.Series, name: str, value: float | str) -> None:
    if not is_number(column):
        levels = observed_levels(column)
        if str(value) not in levels:
            raise _refused(f"{name} = {value!r}, which no training patient has", f"use one of {', '.join(levels)}")
        return
    low, high = observed_range(column)
    if isinstance(value, str | bool) or not np.isfinite(value):
        raise _refused(f"{name} = {value!r}, which is no number", f"give a number from {low:g} to {high:g}")
    if not low <= value <= high:
        raise _refused(
            f"{name} = {value:g}, outside what the training patients have ({low:g} to {high:g})",
            "choose a value in this range: beyond it the models would only guess",
        )


def _check_one_thing(train: pd.DataFrame, name: str, other: str) -> None:
    both = train[[name, other]].dropna().astype(float)
    if len(both) < 10 or both[name].nunique() < 3 or both[other].nunique() < 3:
        return
    if abs(float(spearmanr(both[name], both[other]).statistic)) >= ONE_THING:
        raise _refused(
            f"a change of {name} without {other}, though the two always move together", "change both, or neither"
        )


def _check_together(train: pd.DataFrame, patient: pd.Series, name: str, other: str) -> None:
    if pd.isna(patient[name]) or pd.isna(patient[other]):
        return
    here = str(patient[name]), str(patient[other])
    pairs = set(zip(train[name].astype("string"), train[other].astype("string"), strict=True))
    if here not in pairs:
        raise _refused(
            f"{name} = {here[0]} together with {other} = {here[1]}, which no training patient has",
            "choose values that occur together",
        )


def _refused(found: str, fix: str) -> PrognoscopeError:
    return PrognoscopeError(found, "the change", fix)
