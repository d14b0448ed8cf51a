"""Whether the arms of a treatment fare differently by risk and gate: descriptive, never causal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.arrays import BoolArray, FloatArray
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.errors import PrognoscopeError
from core.results.audit import Treatment, TreatmentTerm
from core.statistics.cox import fit_cox
from core.statistics.logrank import logrank_test

EVENTS_PER_TERM = 10


def treatment_terms(
    cohort: Cohort,
    endpoint: Endpoint,
    column: str,
    risk: FloatArray,
    gate: FloatArray,
    liver: FloatArray,
    landmark: float = 0.0,
) -> Treatment:
    """Cox(risk, π, arm, risk × arm, π × arm, liver function) of the patients under observation at ``landmark``.

    Parameters
    ----------
    column : str
        The arm of each patient; two arms.
    risk, gate, liver : (n,) arrays over the cohort's patients, NaN where unknown
        Out-of-fold risk, out-of-fold tumour weight, and liver function (larger = worse).
    landmark : float
        Months after time zero at which counting starts; patients whose follow-up ended before it are left out.

    Raises
    ------
    PrognoscopeError
        When the cohort has no such column.
    """
    if column not in cohort.patients:
        raise PrognoscopeError(f"no column {column!r}", f"cohort {cohort.name!r}", "name the column of the arm")
    arm = cohort.patients[column]
    levels = tuple(str(v) for v in sorted(arm.dropna().astype(str).unique()))
    words = endpoint.time_zero if landmark == 0 else f"{landmark:g} months after {endpoint.time_zero}"
    under = endpoint.known & (endpoint.time > landmark)
    without = under & arm.isna().to_numpy()
    known = under & arm.notna().to_numpy() & np.isfinite(risk) & np.isfinite(gate) & np.isfinite(liver)
    events = int(endpoint.event[known].sum())
    missing_p = _informative(endpoint, under, without)
    head = (column, levels, words, int(known.sum()), events, int(without.sum()), missing_p)
    if len(levels) != 2:
        return Treatment(*head, landmark=landmark, reason=f"{len(levels)} arms; the model compares two")
    if events < 6 * EVENTS_PER_TERM:
        return Treatment(
            *head, landmark=landmark, reason=f"{events} events for 6 terms; it needs {6 * EVENTS_PER_TERM}"
        )
    second = (arm[known].astype(str) == levels[1]).to_numpy(dtype=float)
    scaled = {name: _standard(values[known]) for name, values in (("risk", risk), ("π", gate), ("liver", liver))}
    table = pd.DataFrame(
        {
            "risk": scaled["risk"],
            "tumour weight π": scaled["π"],
            f"arm: {levels[1]}": second,
            "risk × arm": scaled["risk"] * second,
            "π × arm": scaled["π"] * second,
            "liver function": scaled["liver"],
        }
    )
    entry = np.maximum(endpoint.entry[known], landmark)
    fit = fit_cox(table, endpoint.time[known], endpoint.event[known], entry if (entry > 0).any() else None)
    terms = zip(fit.names, fit.hazard_ratios, fit.low, fit.high, fit.p, strict=True)
    return Treatment(
        *head, landmark=landmark, terms=tuple(TreatmentTerm(n, *(float(x) for x in rest)) for n, *rest in terms)
    )


def _informative(endpoint: Endpoint, under: BoolArray, without: BoolArray) -> float | None:
    """Log-rank p between patients with and without a recorded arm; None when too few lack it."""
    if without.sum() < 10 or (under & ~without).sum() < 10:
        return None
    groups = without[under].astype(int)
    p = logrank_test(endpoint.time[under], endpoint.event[under], groups).p
    return None if p is None else float(p)


def _standard(values: FloatArray) -> FloatArray:
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))
