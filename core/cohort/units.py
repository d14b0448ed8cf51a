"""Laboratory values on one scale: the row's own reference range says which unit it is in.

A laboratory prints its normal range beside each value. Where the range fits one known unit and the value is
possible in that unit, the value is converted. Where no range is given, a value is taken only if exactly one
known unit makes it credible (possible in a living patient and within a third of, and three times, the normal
range). Everything else is set missing and counted; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray
from core.cohort.liver_scores import UMOL_PER_MG_BILIRUBIN

Window = tuple[float, float]
UMOL_PER_MG_CREATININE = 88.42  # µmol/L in 1 mg/dL (molar mass 113.12 g/mol)


@dataclass(frozen=True)
class Scale:
    """One unit a laboratory may have used.

    Parameters
    ----------
    unit : str
    lower, upper : (float, float)
        Where the lower and the upper limit of a normal range in this unit lie.
    factor : float
        Multiplies a value into the analyte's unit.
    """

    unit: str
    lower: Window
    upper: Window
    factor: float


@dataclass(frozen=True)
class Analyte:
    """A laboratory value, its one unit here, the units it may arrive in, and what a living patient can have."""

    name: str
    unit: str
    possible: Window
    scales: tuple[Scale, ...]


ALBUMIN = Analyte(
    "albumin", "g/dL", (1.0, 6.5),
    (
        Scale("g/dL", (2.5, 4.2), (4.0, 6.0), 1.0),
        Scale("g/L", (25, 42), (40, 60), 0.1),
        Scale("g/dL, ten-fold low", (0.25, 0.42), (0.40, 0.60), 10.0),
        Scale("mg/dL", (2500, 4200), (4000, 6000), 0.001),
    ),
)  # fmt: skip
BILIRUBIN = Analyte(
    "bilirubin", "mg/dL", (0.08, 60.0),
    (
        Scale("mg/dL", (0, 0.5), (0.8, 2.0), 1.0),
        Scale("µmol/L", (0, 7), (15, 27), 1 / UMOL_PER_MG_BILIRUBIN),
    ),
)  # fmt: skip
INR = Analyte(
    "inr", "ratio", (0.5, 8.0),
    (Scale("ratio", (0, 2.0), (0.9, 3.0), 1.0), Scale("seconds", (8, 12), (10, 16), np.nan)),
)  # fmt: skip
PROTHROMBIN = Analyte("prothrombin_time", "s", (7.0, 120.0), (Scale("s", (8, 12), (10, 16), 1.0),))
PLATELETS = Analyte(
    "platelets", "10^9/L", (5.0, 1500.0),
    (Scale("10^9/L", (100, 180), (300, 500), 1.0), Scale("1/µL", (100_000, 180_000), (300_000, 500_000), 0.001)),
)  # fmt: skip
CREATININE = Analyte(
    "creatinine", "mg/dL", (0.2, 20.0),
    (
        Scale("mg/dL", (0, 0.95), (0.8, 1.6), 1.0),
        Scale("µmol/L", (35, 90), (70, 135), 1 / UMOL_PER_MG_CREATININE),
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Harmonised:
    """Values in the analyte's unit, NaN where missing; ``warnings`` count what was converted and what was dropped."""

    values: FloatArray
    warnings: tuple[str, ...]


def harmonise(analyte: Analyte, values: FloatArray, lower: FloatArray, upper: FloatArray) -> Harmonised:
    """Bring one laboratory column to one unit.

    Parameters
    ----------
    values : (n,) float array
        As printed; NaN = missing.
    lower, upper : (n,) float arrays
        The normal range printed beside each value; NaN = not given.
    """
    given = np.isfinite(values)
    fits = np.stack([_range_fits(s, lower, upper) for s in analyte.scales])
    converted = np.stack([_converted(analyte, s, values) for s in analyte.scales])
    no_range = ~np.isfinite(lower) & ~np.isfinite(upper)
    candidate = np.where(no_range, np.stack([_unmistakable(analyte, s, values) for s in analyte.scales]), fits)
    certain = candidate.sum(axis=0) == 1
    chosen = np.where(certain, candidate.argmax(axis=0), -1)
    result = np.where(chosen >= 0, converted[np.maximum(chosen, 0), np.arange(len(values))], np.nan)
    warnings = []
    for number, scale in enumerate(analyte.scales):
        moved = int((given & (chosen == number) & np.isfinite(result)).sum())
        if moved and scale.factor != 1.0:
            warnings.append(f"{analyte.name}: {moved} in {scale.unit} converted to {analyte.unit}.")
        if np.isnan(scale.factor) and (held := int((given & (chosen == number)).sum())):
            warnings.append(f"{analyte.name}: {held} in {scale.unit}, which cannot be converted: set missing.")
    apart = np.isin(chosen, [i for i, s in enumerate(analyte.scales) if np.isnan(s.factor)])
    lost = int((given & ~np.isfinite(result) & ~apart).sum())
    if lost:
        warnings.append(f"{analyte.name}: {lost} whose unit is not certain from the row's normal range: set missing.")
    return Harmonised(result, tuple(warnings))


def _range_fits(scale: Scale, lower: FloatArray, upper: FloatArray) -> BoolArray:
    """(n,) bool: the printed limits lie where this unit's do; a limit that is not given is not held against it."""
    with np.errstate(invalid="ignore"):
        low = ~np.isfinite(lower) | ((lower >= scale.lower[0]) & (lower <= scale.lower[1]))
        high = ~np.isfinite(upper) | ((upper >= scale.upper[0]) & (upper <= scale.upper[1]))
    return np.asarray(low & high & (np.isfinite(lower) | np.isfinite(upper)))


def _converted(analyte: Analyte, scale: Scale, values: FloatArray) -> FloatArray:
    """Values read in this unit, NaN where no living patient could have them."""
    moved = values * scale.factor
    with np.errstate(invalid="ignore"):
        possible = (moved >= analyte.possible[0]) & (moved <= analyte.possible[1])
    return np.asarray(np.where(possible, moved, np.nan))


def _unmistakable(analyte: Analyte, scale: Scale, values: FloatArray) -> BoolArray:
    """Whether a value without a printed range is credible in this unit."""
    with np.errstate(invalid="ignore"):
        near = (values >= scale.lower[0] / 3) & (values <= scale.upper[1] * 3)
    if np.isnan(scale.factor):
        return np.asarray(near)
    return np.asarray(near & np.isfinite(_converted(analyte, scale, values)))
