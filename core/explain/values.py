"""The explanation of one patient's estimate by its values: the mean over the models that never saw the patient."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from core.arrays import FloatArray
from core.cohort.modality import Modality
from core.cohort.wording import plural
from core.explain import cross_check, expected_gradients
from core.explain.background import MOST
from core.explain.estimate import PERCENT, Player, vector_players
from core.explain.expected_gradients import STEPS, Shares, share_out
from core.explain.observed import observed_bag, observed_vector
from core.explain.patient_estimates import PatientEstimates
from core.explain.run_models import RunModels
from core.explain.stability import Stability, stability
from core.explain.threads import one_thread
from core.results.explanation import FAMILY_SEPARATOR, FEATURE_COLUMNS, Explanation

Progress = Callable[[float, str], None]
TOLD = 0.05
"""Percentage points without a gradient from which a note speaks of them."""


@dataclass(frozen=True)
class ValueSettings:
    """``background`` patients at most · ``steps`` of the integral · ``check`` also by shap."""

    background: int = MOST
    steps: int = STEPS
    check: bool = True


@dataclass(frozen=True, eq=False)
class _Shared:
    """What all models found: their shares, and the check's (p,) mean over the models, NaN where not asked."""

    shares: tuple[Shares, ...]
    players: tuple[Player, ...]
    bag_modalities: tuple[Modality, ...]
    check: FloatArray
    background: int
    composed: int


def explain_values(
    models: RunModels,
    patient: str,
    month: float,
    code_version: str,
    settings: ValueSettings | None = None,
    progress: Progress = lambda share, text: None,
    shown: float | None = None,
    estimates: PatientEstimates | None = None,
) -> Explanation:
    """Share out the patient's S(month) over genes, clinical columns and bags (:mod:`core.explain.expected_gradients`).

    ``shown`` is the estimate in percent as it is stored and displayed; else it is computed again, which differs from it
    in the seventh digit, as patients are predicted in other batches. ``estimates`` hands over what is ready of this
    patient and month, and keeps what is made ready here.

    Raises
    ------
    PrognoscopeError
        For a patient the run does not judge, or a month at which its models estimate nothing.
    """
    started = time.perf_counter()
    settings = settings or ValueSettings()
    row = models.row(patient)
    with one_thread():
        found = _share_out(estimates or PatientEstimates(models, patient, month), settings, progress)
    sure = stability([s.joined for s in found.shares])
    features = _features(models, patient, found, sure)
    prediction = _prediction(models, row, month) if shown is None else shown
    baseline = float(np.mean([s.baseline for s in found.shares]))
    named = found.check[np.isfinite(found.check)]
    own = np.mean([s.values.mean(axis=0) for s in found.shares], axis=0)
    spread = len(named) > 1 and np.ptp(named) > 0 and np.ptp(own) > 0
    switched = float(np.mean([s.switched for s in found.shares]))
    return Explanation(
        run=models.run.id,
        patient=patient,
        month=float(month),
        unit=f"percentage points of survival at month {month:g}",
        prediction=prediction,
        baseline=baseline,
        residual=prediction - baseline - float(features["value"].sum()),
        features=features,
        method=expected_gradients.METHOD,
        check_method=cross_check.METHOD if len(named) else "",
        agreement=float(spearmanr(own, found.check).statistic) if spread else None,
        models=len(found.shares),
        background=found.background,
        stable_ranks=sure.stable_ranks,
        rank_agreement=sure.rank_agreement,
        synthetic=models.run.synthetic,
        code_version=code_version,
        seconds=time.perf_counter() - started,
        notes=_notes(models, row, found, features, switched),
        extra={"switched": switched, "composed": found.composed, "steps": settings.steps},
    )


def _share_out(estimates: PatientEstimates, settings: ValueSettings, progress: Progress) -> _Shared:
    shares, checks, count = [], [], len(estimates.unseen)
    for i in range(count):
        progress(i / count, f"values, model {i + 1} of {count}")
        background, estimate = estimates.of(i, settings.background)
        players = vector_players(estimate, estimates.models.inputs.columns)
        shares.append(share_out(estimate, players, settings.steps))
        if settings.check and players:
            checks.append(cross_check.gradient_explainer(estimate, players))
    check = np.mean(checks, axis=0) if checks else np.full(len(players), np.nan)
    return _Shared(tuple(shares), players, estimate.bag_modalities, check, len(background), background.composed)


def _prediction(models: RunModels, row: int, month: float) -> float:
    """The estimate that is shown: the mean of the models' own predictions, in percent."""
    one, when = models.inputs.take(np.array([row])), np.array([month])
    unseen = models.of_fold(int(models.fold[row]))
    return PERCENT * float(np.mean([m.fitted.predict(one, when).survival[0, 0] for m in unseen]))


def _features(models: RunModels, patient: str, found: _Shared, sure: Stability) -> pd.DataFrame:
    row = models.row(patient)
    trained_on = models.unseen(patient)[0].trained_on
    families = families_of(models)
    bags = found.bag_modalities
    table = pd.DataFrame(
        {
            "name": [*(p.name for p in found.players), *(m.value for m in bags)],
            "group": [*(p.modality.value for p in found.players), *(m.value for m in bags)],
            "family": [*(families.get(p.name, "") for p in found.players), *("" for _ in bags)],
            "value": np.mean([s.joined.mean(axis=0) for s in found.shares], axis=0),
            "std": sure.std,
            "sign_share": sure.sign_share,
            "observed": [
                *observed_vector(models.inputs, row, trained_on, found.players),
                *(observed_bag(models.inputs, row, m) for m in bags),
            ],
            "check": np.concatenate([found.check, np.full(len(bags), np.nan)]),
        }
    )[list(FEATURE_COLUMNS)]
    return table.sort_values("value", key=abs, ascending=False, kind="stable", ignore_index=True)


def families_of(models: RunModels) -> dict[str, str]:
    """Gene column → its family; several are joined by :data:`core.results.explanation.FAMILY_SEPARATOR`."""
    found: dict[str, list[str]] = {}
    for name, places in models.inputs.families.items():
        for place in places:
            found.setdefault(models.inputs.columns[place], []).append(name)
    return {column: FAMILY_SEPARATOR.join(names) for column, names in found.items()}


def _notes(models: RunModels, row: int, found: _Shared, features: pd.DataFrame, switched: float) -> tuple[str, ...]:
    notes: list[str] = []
    missing = [m.value for m in models.inputs.modalities if not models.inputs.present[m][row]]
    if missing:
        notes.append(
            f"The patient has no {_listed(missing)}: nothing is attributed to what is missing, and the background "
            "patients are taken without it as well."
        )
    silent = [m.value for m, total in zip(found.bag_modalities, _bag_sizes(found.shares), strict=True) if total == 0]
    if silent:
        notes.append(f"The models' estimates do not depend on the {_listed(silent)}.")
    if found.composed:
        notes.append(
            f"{found.composed} of {found.background} background patients are put together of several: too few of the "
            "training patients have all that this patient has."
        )
    several = int(features["family"].str.contains(FAMILY_SEPARATOR, regex=False).sum())
    if several:
        notes.append(f"{plural(several, 'gene')} in several families: each family is given an equal part.")
    if abs(switched) >= TOLD:
        drawn = " (and because only some combinations of the patient's files are tried)" if found.bag_modalities else ""
        notes.append(
            f"{switched:+.2f} percentage points of the genes' and clinical columns' share escape the gradient, where a "
            f"router switches to another expert{drawn}: they are shared out in proportion to the values' sizes."
        )
    if len(found.shares) == 1:
        notes.append("One model alone: whether another would order the values alike is not known.")
    return tuple(notes)


def _bag_sizes(shares: Sequence[Shares]) -> FloatArray:
    return np.asarray(np.sum([np.abs(s.bags).sum(axis=0) for s in shares], axis=0))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
