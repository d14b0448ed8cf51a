"""A run's gates as pages show them: of one seed or of all where their experts match, sorted, shared out, tabulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.outcome import Outcome
from core.arrays import Float32Array, FloatArray, IntArray
from core.results.routing_record import ENOUGH_AGREEMENT, LevelRecord, RoutingRecord
from core.statistics.allocation import Allocation, shares_out_of_fold
from core.statistics.self_correlation import SelfCorrelation

MEAN = -1
"""Instead of a seed: the mean over all of them."""
SORTS = ("predicted risk", "dominant expert", "outcome")


@dataclass(frozen=True, eq=False)
class GateRows:
    """Rows of the heat map: ``mass`` (r, n), one row an expert, patients in the cohort's order of the record;
    ``levels``, ``experts`` (r,) what each row is."""

    mass: FloatArray
    levels: tuple[str, ...]
    experts: tuple[str, ...]


@dataclass(frozen=True)
class Models:
    """Whose gates are shown: of the ``seed``-th seed (−1: the mean over all), of one ``fold`` alone (−1: of all)."""

    seed: int = MEAN
    fold: int = MEAN


def model_choices(record: RoutingRecord, only: str = "") -> tuple[Models, ...]:
    """What may be shown side by side, the widest first: all models where every level's experts (or those of the level
    ``only``) match between seeds, the folds of one seed where they match within it, and always each single model with
    the patients it never saw."""
    levels, seeds = [x for x in record.levels.values() if only in ("", x.name)], range(len(record.seeds))
    found = [Models()] if all(level.comparable for level in levels) else []
    found += [Models(s) for s in seeds if all(level.matched_within(s) for level in levels)]
    found += [Models(s, int(f)) for f in np.unique(record.fold) for s in seeds]
    return tuple(found)


def model_choice_words(record: RoutingRecord, models: Models) -> str:
    """``"mean of 3 seeds"``, ``"seed 0, all folds"``, ``"one model: fold 1, seed 0"``."""
    if models.seed == MEAN:
        return f"mean of {len(record.seeds)} seeds"
    seed = f"seed {record.seeds[models.seed]}"
    return f"{seed}, all folds" if models.fold == MEAN else f"one model: fold {models.fold + 1}, {seed}"


def patients_of(record: RoutingRecord, models: Models) -> IntArray:
    """Places of the patients that these models never saw."""
    if models.fold == MEAN:
        return np.arange(len(record))
    return np.flatnonzero(record.fold == models.fold).astype(np.int64)


def of_models(values: Float32Array, models: Models) -> FloatArray:
    """(n, …) of (s, n, …): one seed's, or the mean over all."""
    chosen = values.mean(axis=0) if models.seed == MEAN else values[models.seed]
    return np.asarray(chosen, dtype=np.float64)


def gate_rows(record: RoutingRecord, models: Models, only: str = "") -> GateRows:
    """Gate weight of every expert (of the level ``only`` where it is named) for every patient."""
    mass, levels, experts = [], [], []
    for name, level in record.levels.items():
        if only and name != only:
            continue
        mass.append(of_models(level.mass, models).T)
        levels += [name] * len(level.experts)
        experts += list(level.experts)
    return GateRows(np.concatenate(mass), tuple(levels), tuple(experts))


def patient_order(record: RoutingRecord, rows: GateRows, outcome: Outcome, by: str, inside: IntArray) -> IntArray:
    """Places of the patients ``inside`` from left to right: rising estimated risk, by dominant expert, or by time."""
    order = _whole_order(record, rows, outcome, by)
    return order[np.isin(order, inside)]


def _whole_order(record: RoutingRecord, rows: GateRows, outcome: Outcome, by: str) -> IntArray:
    survival = record.estimate.mean(axis=0)
    if by == "outcome":
        place = {patient: i for i, patient in enumerate(outcome.ids)}
        time = np.array([outcome.time[place[i]] if i in place else np.inf for i in record.ids])
        return np.argsort(time, kind="stable").astype(np.int64)
    if by == "dominant expert":
        filled = np.where(np.isfinite(rows.mass), rows.mass, -1)
        inside = np.array([name == rows.levels[-1] for name in rows.levels])
        dominant = filled[inside].argmax(axis=0)
        return np.lexsort((-filled[inside].max(axis=0), dominant)).astype(np.int64)
    return np.argsort(-survival, kind="stable").astype(np.int64)


def allocations(record: RoutingRecord) -> dict[str, tuple[Allocation, ...]]:
    """Level → one allocation a trained model, over the patients it never saw."""
    found: dict[str, tuple[Allocation, ...]] = {}
    folds = np.unique(record.fold)
    for name, level in record.levels.items():
        each = []
        for seed in range(len(record.seeds)):
            for fold in folds:
                inside = (record.fold == fold) & level.present
                if inside.any():
                    each.append(shares_out_of_fold(level.load[seed, inside], level.mass[seed, inside]))
        found[name] = tuple(each)
    return found


def load_table(record: RoutingRecord) -> pd.DataFrame:
    """The two measures of every level, mean over the models."""
    rows = []
    for name, found in allocations(record).items():
        level = record.levels[name]
        mass = [Allocation(a.mass, a.mass) for a in found]
        rows.append(
            {
                "Level": name, "Experts": len(level.experts), "Models": len(found),
                "Load: entropy": _mean([a.entropy for a in found]), "Load: KL": _mean([a.divergence for a in found]),
                "Load: max/min": _ratio([a.ratio for a in found]),
                "Mass: entropy": _mean([a.entropy for a in mass]), "Mass: KL": _mean([a.divergence for a in mass]),
                "Mass: max/min": _ratio([a.ratio for a in mass]),
                "Never used": f"{np.mean([a.unused for a in found]):.1f}",
                "Match within seeds": "named" if level.named else f"{level.within.mean():.2f}",
                "Match between seeds": "named" if level.named else f"{_others(level):.2f}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def drawn_shares(found: Mapping[str, tuple[Allocation, ...]]) -> pd.DataFrame:
    """What the bars of every level draw: experts from the most to the least used, mean and range over the models."""
    rows = []
    for name, each in found.items():
        ranked = [a.ranked() for a in each]
        load, mass = (np.array([getattr(a, k) for a in ranked]) for k in ("load", "mass"))
        for place in range(load.shape[1]):
            one = load[:, place]
            rows.append(
                {"level": name, "place": place + 1, "assignment load": one.mean(), "lowest": one.min(),
                 "highest": one.max(), "gate mass": mass[:, place].mean()}
            )  # fmt: skip
    return pd.DataFrame(rows)


def drawn_correlations(pairs: Mapping[str, tuple[SelfCorrelation, SelfCorrelation]]) -> pd.DataFrame:
    """What the heat maps of tokens draw: one row two tokens of a level, before and after the shared expert."""
    rows = []
    for name, (before, after) in pairs.items():
        for i, j in np.ndindex(before.mean.shape):
            rows.append(
                {"level": name, "token": i + 1, "with token": j + 1, "before": before.mean[i, j],
                 "after": after.mean[i, j]}
            )  # fmt: skip
    return pd.DataFrame(rows)


def expert_table(record: RoutingRecord, name: str, models: Models) -> pd.DataFrame:
    """Load, mass and what switching off changes, expert by expert; of the chosen models."""
    level = record.levels[name]
    inside = patients_of(record, models)
    found = shares_out_of_fold(of_models(level.load, models)[inside], of_models(level.mass, models)[inside])
    change = of_models(level.survival, models)[inside]
    rows = []
    for i, expert in enumerate(level.switched):
        routed = i < len(level.experts)
        rows.append(
            {
                "expert": expert, "assignment load": found.load[i] if routed else np.nan,
                "gate mass": found.mass[i] if routed else np.nan,
                "mean change when off": float(np.nanmean(change[:, i])),
                "mean size of the change": float(np.nanmean(np.abs(change[:, i]))),
                "patients moved by 1 point": int((np.abs(change[:, i]) >= 1).sum()),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def heat_table(record: RoutingRecord, rows: GateRows, order: IntArray) -> pd.DataFrame:
    """What the heat map draws, a column a row of it; patients by their place alone, without pseudonyms."""
    names = [f"{level}, {expert}" for level, expert in zip(rows.levels, rows.experts, strict=True)]
    table = pd.DataFrame(rows.mass[:, order].T, columns=names)
    table.insert(0, f"S({record.month:g}), %", record.estimate.mean(axis=0)[order])
    table.insert(0, "place", np.arange(1, len(order) + 1))
    return table


def _others(level: LevelRecord) -> float:
    """Mean match of the seeds other than the reference."""
    others = np.sort(level.between)[:-1]
    return float(others.mean()) if len(others) else 1.0


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.2f}"


def _ratio(values: list[float]) -> str:
    middle = float(np.median(values))
    return f"{middle:.1f}" if np.isfinite(middle) else "an expert unused"


def match_words(levels: Mapping[str, LevelRecord]) -> str:
    """Why gates are shown model by model; "" where the experts mean the same in every model."""
    weak = [level for level in levels.values() if not level.comparable]
    if not weak:
        return ""
    found = "; ".join(
        f"{level.name} {level.within.mean():.2f} between folds and {_others(level):.2f} between seeds" for level in weak
    )
    return (
        f"The experts of different models do not match (mean correlation of their gates: {found}; {ENOUGH_AGREEMENT:g} "
        "is needed): their numbers are names within one model only, and gates are shown model by model."
    )
