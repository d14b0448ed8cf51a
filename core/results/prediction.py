"""What a run predicted for each patient, and whether the model had seen that patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import FloatArray

COLUMNS = ("id", "fold", "seed", "entry", "time", "event", "risk")


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of one run, one row per patient and seed.

    Parameters
    ----------
    table : DataFrame of r rows
        ``id`` pseudonym · ``fold`` the outer fold whose model predicted (it did not train on the patient unless
        ``in_sample``) · ``seed`` (-1 in an ensemble) · ``entry``, ``time`` months · ``event`` 0 censored, 1 event,
        2 competing · ``risk`` higher = earlier event; comparable only between patients of one fold and seed.
    times : (t,) float array
        Months at which survival is given.
    survival : (r, t) float array
        S(t) in 0..1; NaN = not estimable (beyond the last bin edge, or fewer than 20 training patients at risk).
    in_sample : bool
        True when the models had trained on these patients.
    """

    table: pd.DataFrame
    times: FloatArray
    survival: FloatArray
    in_sample: bool = False

    def __len__(self) -> int:
        return len(self.table)

    def ensemble(self) -> Predictions:
        """Mean over seeds of risk and S(t), one row a patient, in order of first appearance."""
        order = pd.unique(self.table["id"])
        grouped = self.table.groupby("id", sort=False)
        first = grouped.first().loc[order].reset_index()
        first["risk"] = grouped["risk"].mean().loc[order].to_numpy()
        first["seed"] = -1
        codes = pd.Categorical(self.table["id"], categories=order).codes
        counts = np.bincount(codes, minlength=len(order)).astype(float)
        total = np.zeros((len(order), len(self.times)))
        np.add.at(total, codes, self.survival)  # NaN stays NaN: one seed without an estimate leaves none
        return Predictions(first[list(COLUMNS)], self.times, total / counts[:, None], self.in_sample)

    def of_seed(self, seed: int) -> Predictions:
        """The rows of one seed."""
        keep = (self.table["seed"] == seed).to_numpy()
        return Predictions(self.table[keep].reset_index(drop=True), self.times, self.survival[keep], self.in_sample)

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(int(s) for s in sorted(self.table["seed"].unique()))

    @property
    def folds(self) -> tuple[int, ...]:
        return tuple(int(f) for f in sorted(self.table["fold"].unique()))

    def survival_at(self, month: float) -> FloatArray:
        """(r,) S(month) by linear interpolation of log S between the stored times; NaN where not estimable."""
        times = np.concatenate([[0.0], self.times])
        with np.errstate(divide="ignore"):
            logs = np.log(np.concatenate([np.ones((len(self), 1)), self.survival], axis=1))
        right = int(np.searchsorted(times, month))
        if right >= len(times):
            return np.full(len(self), np.nan)
        if times[right] == month:
            return np.asarray(np.exp(logs[:, right]))
        share = (month - times[right - 1]) / (times[right] - times[right - 1])
        low, high = logs[:, right - 1], logs[:, right]
        dead = np.isneginf(high)
        blended = (1 - share) * low + share * np.where(dead, low, high)
        return np.asarray(np.where(dead, 0.0, np.exp(blended)))

    def as_table(self) -> pd.DataFrame:
        """The table's columns, then one ``S(<month>)`` column a month, with every digit of it."""
        names = [f"S({np.format_float_positional(t, trim='-')})" for t in self.times]
        curves = pd.DataFrame(self.survival, columns=names)
        return pd.concat([self.table.reset_index(drop=True), curves], axis=1)

    def write(self, folder: Path) -> None:
        """Store :meth:`as_table` as ``predictions.parquet``."""
        self.as_table().to_parquet(folder / "predictions.parquet")

    @classmethod
    def read(cls, folder: Path, in_sample: bool = False) -> Predictions:
        """Read what :meth:`write` stored."""
        frame = pd.read_parquet(folder / "predictions.parquet")
        names = [c for c in frame.columns if c.startswith("S(")]
        times = np.array([float(c[2:-1]) for c in names])
        return cls(frame[list(COLUMNS)], times, frame[names].to_numpy(dtype=float), in_sample)
