"""What a pan-cancer training would take and cost, from the rates measured here. An estimate; nothing of it was run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.tasks.bench import BenchRow


@dataclass(frozen=True)
class PanCancer:
    """The work: so many patients of so many cancers, each with a slide of ``patches`` patches.

    Parameters
    ----------
    patients, cancers : int
        TCGA, as MICE counts them; one model of all cancers sees every patient once an epoch.
    folds, seeds, epochs, models : int
        Each of ``models`` is trained on (folds − 1)/folds of the patients, folds × seeds times.
    """

    patients: int = 11_799
    cancers: int = 30
    folds: int = 5
    seeds: int = 3
    epochs: int = 20
    models: int = 3

    @property
    def patient_epochs(self) -> float:
        """Patients seen in training, over all epochs, folds, seeds and models."""
        return self.patients * (self.folds - 1) * self.seeds * self.epochs * self.models

    @property
    def trainings(self) -> int:
        """Trainings that can run side by side: no training is split."""
        return self.folds * self.seeds * self.models


@dataclass(frozen=True)
class Fleet:
    """``workers`` trainings at a time, each at the measured rate; ``price`` € an hour for all of them, 0 unknown."""

    words: str
    workers: int
    price: float = 0.0


FLEETS = (Fleet("this machine", 1), Fleet("8 machines like this", 8, 8 * 0.10), Fleet("32 machines like this", 32, 3.2))
"""Prices are an assumption: 0.10 € an hour for two virtual cores."""
GPU_FLEET = Fleet("a node with 4 such GPUs", 4, 4 * 3.0)
"""Assumed: 3 € an hour and GPU."""


def pan_cancer_hours(seconds: float, fleet: Fleet, work: PanCancer | None = None) -> float:
    """Hours by the clock.

    Parameters
    ----------
    seconds : float
        A patient in one epoch, the mean over the models, measured.
    fleet : Fleet
        Whole trainings are dealt out: the last round may leave workers idle.
    """
    work = work or PanCancer()
    each = work.patient_epochs / work.trainings * seconds
    rounds = -(-work.trainings // fleet.workers)
    return rounds * each / 3600


def estimate_rows(
    seconds: float, measured: str, fleets: Iterable[Fleet], work: PanCancer | None = None
) -> list[BenchRow]:
    """``estimate:pan_cancer_hours`` and, where a price is assumed, ``estimate:pan_cancer_cost`` of each fleet."""
    rows = []
    for fleet in fleets:
        hours = pan_cancer_hours(seconds, fleet, work)
        rows.append(BenchRow(f"estimate:pan_cancer_hours, {measured}, {fleet.words}", hours, "h"))
        if fleet.price:
            rows.append(
                BenchRow(
                    f"estimate:pan_cancer_cost, {measured}, {fleet.words}", hours * fleet.price, "€ (assumed price)"
                )
            )
    return rows


def measured_seconds(rows: Iterable[BenchRow], ending: str) -> float | None:
    """Mean over the models of a patient's seconds in one epoch, from ``patient:<model>:<ending>`` rows."""
    found = [r.value / 1000 for r in rows if r.name.startswith("patient:") and r.name.endswith(ending)]
    return sum(found) / len(found) if found else None


def assumptions(work: PanCancer | None = None) -> str:
    """The assumptions in one sentence."""
    w = work or PanCancer()
    return (
        f"{w.patients:,} patients of {w.cancers} cancers, {w.models} models × {w.folds} folds × {w.seeds} seeds = "
        f"{w.trainings} trainings of {w.epochs} epochs ({w.patient_epochs / 1e6:.2f} million patient-epochs); features "
        "encoded already and at hand; each worker as fast as measured here, alone on its machine; evaluation, transfer "
        "and start-up not counted"
    )
