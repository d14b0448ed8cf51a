"""A time-to-event endpoint: what happened, counted from which moment, in months."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Endpoint:
    """Outcome of ``n`` patients for one endpoint, row for row with the cohort's patients table.

    Parameters
    ----------
    name : str
        Short key, e.g. ``"OS"``.
    label : str
        Words for a page, e.g. ``"Overall survival"``.
    time_zero : str
        The moment months are counted from, e.g. ``"diagnosis"``.
    entry : (n,) float array
        Months from time zero at which the patient came under observation (0 without delayed entry).
    time : (n,) float array
        Months from time zero to the event, the competing event or the end of follow-up; NaN = unknown.
    event : (n,) bool array
        True where the event happened at ``time``.
    competing : (n,) bool array
        True where a competing event ended observation at ``time``; never together with ``event``.
    event_label, competing_label : str
        What the two codes mean, e.g. ``"death"`` and ``"liver transplant"`` (empty when there is none).
    """

    name: str
    label: str
    time_zero: str
    entry: FloatArray
    time: FloatArray
    event: BoolArray
    competing: BoolArray
    event_label: str = "death"
    competing_label: str = ""

    @property
    def known(self) -> BoolArray:
        """Patients with a usable outcome: a finite time after their entry, or an event at entry 0."""
        with np.errstate(invalid="ignore"):
            after_entry = (self.time > self.entry) | ((self.entry == 0) & (self.time >= 0))
        known: BoolArray = np.isfinite(self.time) & after_entry
        return known

    @property
    def codes(self) -> IntArray:
        """0 = censored, 1 = event, 2 = competing event."""
        return self.event.astype(np.int64) + 2 * self.competing.astype(np.int64)

    @property
    def has_competing(self) -> bool:
        return bool(self.competing.any())

    @property
    def has_delayed_entry(self) -> bool:
        return bool((self.entry > 0).any())

    def take(self, rows: IntArray | BoolArray) -> Endpoint:
        """The same endpoint for a subset of patients, in the order of ``rows``."""
        return replace(
            self,
            entry=self.entry[rows],
            time=self.time[rows],
            event=self.event[rows],
            competing=self.competing[rows],
        )
