"""What a patient's own value is, in words short enough for a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.modality import Modality
from core.explain.estimate import Player
from core.features.inputs import Inputs

FEW = 5
_ROWS = {Modality.SLIDES: "patches", Modality.VOLUMES: "phases", Modality.REPORTS: "sentences"}


def observed_vector(inputs: Inputs, row: int, trained_on: IntArray, players: tuple[Player, ...]) -> list[str]:
    """One text a player: a gene with its percentile among the training patients, a clinical value as it is recorded."""
    place = {name: i for i, name in enumerate(inputs.columns)}
    ranked = _Ranked.of(inputs, row, trained_on)
    found = []
    for player in players:
        if player.modality is Modality.GENOMICS:
            assert inputs.genes is not None  # noqa: S101  a gene is a player of patients with genes alone
            found.append(ranked.words(float(inputs.genes[row, place[player.name]]), place[player.name]))
        else:
            assert inputs.clinical is not None  # noqa: S101
            found.append(_clinical(inputs.clinical[player.name], row))
    return found


def observed_bag(inputs: Inputs, row: int, modality: Modality) -> str:
    """``"104 patches"``."""
    bag = inputs.bags[modality][row]
    count = 0 if bag is None else len(bag)
    words = _ROWS[modality]
    return f"{count:,} {words if count != 1 else words.removesuffix('es' if words == 'patches' else 's')}"


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Where a patient's genes stand among the training patients': (g,) ``percentile`` (ties half), ``same`` share with
    the very value, ``few`` columns of at most :data:`FEW` values, such as mutations."""

    percentile: FloatArray
    same: FloatArray
    few: BoolArray

    @classmethod
    def of(cls, inputs: Inputs, row: int, trained_on: IntArray) -> _Ranked:
        if inputs.genes is None:
            return cls(np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
        mine, others = inputs.genes[row], inputs.genes[trained_on]
        known = np.maximum(np.isfinite(others).sum(axis=0), 1)
        with np.errstate(invalid="ignore"):
            same = (others == mine).sum(axis=0) / known
            percentile = (others < mine).sum(axis=0) / known + same / 2
        ordered = np.sort(others, axis=0)
        with np.errstate(invalid="ignore"):
            values = 1 + (np.diff(ordered, axis=0) > 0).sum(axis=0)
        return cls(percentile, same, values <= FEW)

    def words(self, value: float, column: int) -> str:
        """``"2.31 (percentile 92)"``; a value of few is said to be as frequent as it is."""
        if not np.isfinite(value):
            return "not measured"
        if self.few[column]:
            return f"{value:.3g} (as {100 * self.same[column]:.0f} % of the training patients)"
        return f"{value:.3g} (percentile {100 * self.percentile[column]:.0f})"


def _clinical(column: pd.Series, row: int) -> str:
    value: Any = column.iloc[row]
    if pd.isna(value):
        return "not recorded"
    return f"{value:g}" if isinstance(value, float | int | np.number) and not isinstance(value, bool) else str(value)
