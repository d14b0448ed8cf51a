"""Which data patients have: modality combinations, and who an analysis has to leave out and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray
from core.cohort.cohort import Cohort, Exclusion
from core.cohort.modality import Modality
from core.errors import PrognoscopeError


@dataclass(frozen=True)
class Combination:
    """Patients who have exactly these modalities."""

    modalities: tuple[Modality, ...]
    count: int


def combinations(cohort: Cohort, mask: BoolArray | None = None) -> tuple[Combination, ...]:
    """Exact modality combinations among the selected patients, most frequent first; the counts sum to them.

    Parameters
    ----------
    mask : (n,) bool array, optional
        The selected patients; all when not given.
    """
    columns = list(cohort.availability.columns)
    table = cohort.availability.to_numpy(dtype=bool)
    rows = table if mask is None else table[mask]
    code = rows @ (1 << np.arange(len(columns)))
    found, counts = np.unique(code, return_counts=True)
    order = np.lexsort((found, -counts))
    return tuple(
        Combination(tuple(Modality(c) for i, c in enumerate(columns) if found[k] >> i & 1), int(counts[k]))
        for k in order
    )


@dataclass(frozen=True, eq=False)
class Usable:
    """(n,) ``mask`` of patients an analysis can use; ``exclusions`` account for all the others."""

    mask: BoolArray
    exclusions: tuple[Exclusion, ...]


def usable(
    cohort: Cohort,
    endpoint: str | None = None,
    modalities: Sequence[Modality | str] = (),
    mask: BoolArray | None = None,
    require: str = "all",
) -> Usable:
    """Patients with an outcome and the modalities asked for; each patient left out is counted under one reason.

    Parameters
    ----------
    endpoint : str, optional
        The default endpoint when not given.
    modalities : sequence of Modality
        None: outcomes only.
    mask : (n,) bool array, optional
        A selection to stay within; what it removes is not an exclusion.
    require : ``"all"`` or ``"any"``
        Whether each modality is needed, or at least one (a model that can do without the others).
    """
    if require not in ("all", "any"):
        raise PrognoscopeError(f"require={require!r}", "the analysis", "use all or any")
    chosen = cohort.endpoint(endpoint)
    left = np.ones(len(cohort), dtype=bool) if mask is None else mask.copy()
    found: list[Exclusion] = []

    def drop(reason: str, failing: BoolArray) -> None:
        count = int((left & failing).sum())
        if count:
            found.append(Exclusion(reason, count))
            left[failing] = False

    drop(f"missing {chosen.name} time", ~np.isfinite(chosen.time))
    drop(f"{chosen.name} time not after entry", np.isfinite(chosen.time) & ~chosen.known)
    absent = {str(m): ~_present(cohort, Modality(m)) for m in modalities}
    if require == "all":
        for name, missing in absent.items():
            drop(f"missing {name}", missing)
    elif absent:
        drop(f"none of {', '.join(absent)}", np.logical_and.reduce(list(absent.values())))
    return Usable(left, tuple(found))


def exclusions(
    cohort: Cohort, endpoint: str | None = None, modalities: Sequence[Modality | str] = (), require: str = "all"
) -> tuple[Exclusion, ...]:
    """Only the exclusions of :func:`usable`."""
    return usable(cohort, endpoint, modalities, None, require).exclusions


def _present(cohort: Cohort, modality: Modality) -> BoolArray:
    if str(modality) not in cohort.availability:
        return np.zeros(len(cohort), dtype=bool)
    return np.asarray(cohort.availability[str(modality)].to_numpy(dtype=bool))
