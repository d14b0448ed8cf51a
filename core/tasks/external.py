"""Estimates of patients a run was not trained on, held against what happened to them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from core.arrays import BoolArray
from core.cohort.cancer import cancer_codes
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.features.run_inputs import RunInputs
from core.results.evaluation import FEWEST_EVENTS, Repeats, evaluate
from core.results.prediction import COLUMNS, Predictions
from core.results.prediction_set import Agreement, Kind
from core.tasks.scoring import Scored, Trained
from core.training.ensemble import NEVER_SEEN

ALL, SUPPORTED = "all new patients", "supported new patients"


def kind_of_evaluation(trained_on: Iterable[str], cohort: Cohort) -> Kind:
    """Validation where both cohorts name a common cancer, transfer where they name different ones."""
    there, here = frozenset(trained_on), cancer_codes(cohort)
    if not there or not here:
        return Kind.UNSTATED
    return Kind.VALIDATION if there & here else Kind.TRANSFER


def same_endpoint(run: RunInputs, cohort: Cohort) -> tuple[Endpoint | None, str]:
    """The cohort's endpoint of the run's name and event, and a reason (none) or a warning (counted otherwise)."""
    wanted = run.endpoint
    found = next((e for name, e in cohort.endpoints.items() if name.lower() == wanted.name.lower()), None)
    if found is None:
        return None, f"this cohort has no outcome {wanted.name}"
    if wanted.event_label and found.event_label and found.event_label.lower() != wanted.event_label.lower():
        return None, f"{wanted.name} is {found.event_label} here and {wanted.event_label} in the run"
    if wanted.time_zero and found.time_zero and found.time_zero.lower() != wanted.time_zero.lower():
        return found, f"{wanted.name} counts from {found.time_zero} here and from {wanted.time_zero} in the run"
    return found, ""


def agreement_of(
    trained: Trained,
    scored: Scored,
    cohort: Cohort,
    endpoint: Endpoint,
    horizons: tuple[float, ...],
    repeats: Repeats | None = None,
) -> tuple[tuple[Agreement, ...], str]:
    """The metrics of the new patients with and without the unsupported, and a reason when there are none.

    Patients the run was trained on take no part: for them the run's own out-of-fold metrics stand.
    """
    known = endpoint.known & (scored.seen == NEVER_SEEN) & scored.has_inputs & np.isfinite(scored.estimates.risk)
    if not known.any():
        trained_on = int((scored.seen != NEVER_SEEN).sum())
        if trained_on == len(cohort):
            return (), "the run was trained on all of these patients: its own out-of-fold metrics stand for them"
        return (), "no patient that is new to the run has a known outcome and something the run reads"
    rows = ((ALL, known), (SUPPORTED, known & scored.supported))
    return tuple(_agreement(who, m, trained, scored, cohort, endpoint, horizons, repeats) for who, m in rows), ""


def _agreement(
    who: str,
    mask: BoolArray,
    trained: Trained,
    scored: Scored,
    cohort: Cohort,
    endpoint: Endpoint,
    horizons: tuple[float, ...],
    repeats: Repeats | None,
) -> Agreement:
    rows = np.flatnonzero(mask)
    patients, events = len(rows), int(endpoint.event[rows].sum())
    if events < FEWEST_EVENTS:
        return Agreement(who, patients, events, None, f"{events} events, fewer than {FEWEST_EVENTS}")
    table = pd.DataFrame(
        {
            "id": [cohort.ids[i] for i in rows],
            "fold": 0,
            "seed": 0,
            "entry": endpoint.entry[rows],
            "time": endpoint.time[rows],
            "event": endpoint.codes[rows],
            "risk": scored.estimates.risk[rows],
        }
    )[list(COLUMNS)]
    predictions = Predictions(table, trained.predictions.times, scored.estimates.survival[rows])
    return Agreement(who, patients, events, evaluate(predictions, horizons, repeats, null=trained.outcomes()))
