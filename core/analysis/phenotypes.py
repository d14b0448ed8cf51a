"""Groups of patients that the model itself makes: by dominant expert, by gates, by what it makes of a patient.

A group is only worth a curve when other models make the same group: its stability over seeds stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.cluster.vq import ClusterError, kmeans2

from core.analysis.grouping import Grouping
from core.analysis.outcome import Outcome
from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Cohort, Exclusion
from core.results.naming import OPTIMISTIC, badge
from core.results.routing_record import ENOUGH_AGREEMENT, RoutingRecord
from core.results.run import Run
from core.statistics.rand_index import Agreement, agreement, jaccard_of_group

STABLE_JACCARD = 0.6
"""Below this a group is not found again by another seed (Hennig 2007); it is drawn in grey."""
STABLE_RAND = 0.5
MOSTLY = 0.9
"""Share of a group without a kind of data from which the group is made of just that."""
_TRIES = 8


class By(StrEnum):
    """What the groups are made of."""

    DOMINANT = "dominant expert"
    GATES = "clusters of gates"
    SPACE = "clusters of patients as the model sees them"


@dataclass(frozen=True)
class PhenotypeChoice:
    """The reader's choice: ``level`` for the dominant expert, ``count`` for clusters."""

    by: By = By.DOMINANT
    level: str = ""
    count: int = 3


@dataclass(frozen=True, eq=False)
class Phenotypes:
    """Groups of the record's ``n`` patients.

    ``member`` (n,) place in ``names``, −1 = in none · ``stability`` (g,) mean Jaccard similarity of each group with the
    most alike one of another seed, NaN with one seed · ``seeds`` agreement of the seeds on patients neither saw ·
    ``folds`` of the models of other folds on all patients, those they were trained on included; None where it cannot
    be known · ``matched`` whether the experts behind the groups are the same in every model.
    """

    choice: PhenotypeChoice
    names: tuple[str, ...]
    member: IntArray
    stability: FloatArray
    seeds: Agreement
    folds: Agreement | None
    matched: bool

    def stable(self, group: int) -> bool:
        """Whether another seed finds the group again."""
        found = self.stability[group]
        return self.matched and bool(np.isfinite(found) and found >= STABLE_JACCARD)

    @property
    def verdict(self) -> str:
        """What the stability allows, in one sentence."""
        if not self.matched:
            return (
                "The experts behind these groups are not the same in the models that judged different patients: the "
                "groups mix what does not belong together. All are grey."
            )
        if self.seeds.value is None:
            return "One seed alone cannot say whether these groups are real: all are grey."
        low = self.seeds.low if self.seeds.low is not None else -1.0
        if low >= STABLE_RAND:
            return "Other seeds find the same groups."
        if self.seeds.value >= STABLE_RAND:
            return "Other seeds find similar groups; the interval reaches below what counts as the same."
        return "Other seeds find other groups: do not read these curves as phenotypes."


def choices(record: RoutingRecord) -> tuple[By, ...]:
    """The ways there are for this run, first those whose groups mean the same in every model; gates can only be
    clustered where experts do."""
    if any(level.comparable for level in record.levels.values()):
        return By.DOMINANT, By.GATES, By.SPACE
    return By.SPACE, By.DOMINANT


def make_phenotypes(record: RoutingRecord, choice: PhenotypeChoice) -> Phenotypes:
    """The groups, and how stable they are."""
    if choice.by is By.DOMINANT:
        return _dominant(record, choice)
    return _clusters(record, choice)


def _dominant(record: RoutingRecord, choice: PhenotypeChoice) -> Phenotypes:
    level = record.levels[choice.level]
    whole = np.where(np.isfinite(level.mass), level.mass, -1.0)
    per_seed = np.where(level.present, whole.argmax(axis=2), -1)
    member = np.where(level.present, whole.mean(axis=0).argmax(axis=1), -1)
    others = [
        (a[level.present], b[level.present])
        for labels in np.moveaxis(level.everyone.argmax(axis=3), 1, 0)
        for a, b in combinations(labels, 2)
    ]
    matched = level.comparable or (len(record.seeds) == 1 and level.matched_within(0))
    return _named(record, choice, level.experts, member, per_seed, agreement(others) if others else None, matched)


def _clusters(record: RoutingRecord, choice: PhenotypeChoice) -> Phenotypes:
    if choice.by is By.GATES:
        levels = [x for x in record.levels.values() if x.comparable]
        per_seed = np.concatenate([np.nan_to_num(x.mass, nan=0.0) for x in levels], axis=2)
        matched = True
    else:
        per_seed = record.places
        matched = float(record.aligned.mean()) >= ENOUGH_AGREEMENT
    member = clusters(per_seed.mean(axis=0), choice.count)
    labels = np.stack([clusters(values, choice.count) for values in per_seed])
    names = tuple(f"group {i + 1}" for i in range(choice.count))
    return _named(record, choice, names, member, labels, None, matched)


def clusters(values: FloatArray, count: int) -> IntArray:
    """(n,) k-means labels, the best of several starts; numbered by size, the same for the same input."""
    x = np.asarray(values, dtype=np.float64)
    best, lowest = np.zeros(len(x), dtype=np.int64), np.inf
    for seed in range(_TRIES):
        try:
            centres, found = kmeans2(x, count, minit="++", rng=np.random.default_rng(seed), missing="raise")
        except ClusterError:  # a start that loses a cluster says nothing; the others go on
            continue
        cost = float(((x - centres[found]) ** 2).sum())
        if cost < lowest:
            best, lowest = found.astype(np.int64), cost
    order = np.argsort(-np.bincount(best, minlength=count), kind="stable")
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    return place[best]


def _named(
    record: RoutingRecord, choice: PhenotypeChoice, names: tuple[str, ...], member: IntArray, per_seed: IntArray,
    folds: Agreement | None, matched: bool,
) -> Phenotypes:  # fmt: skip
    """Groups nobody is in are dropped; stability within each fold, on patients that none of its models saw."""
    used = [g for g in range(len(names)) if (member == g).any()]
    place = {g: i for i, g in enumerate(used)}
    pairs = [
        (a[inside], b[inside])
        for inside in (np.flatnonzero((record.fold == f) & (member >= 0)) for f in np.unique(record.fold))
        for a, b in combinations(per_seed, 2)
        if len(inside) > 1
    ]
    known = member >= 0
    found = [
        np.nanmean([jaccard_of_group(member[known], labels[known], g) for labels in per_seed])
        if len(per_seed) > 1 else np.nan
        for g in used
    ]  # fmt: skip
    return Phenotypes(
        choice, tuple(names[g] for g in used),
        np.array([place.get(int(g), -1) for g in member], dtype=np.int64),
        np.array(found, dtype=float), agreement(pairs), folds, matched,
    )  # fmt: skip


def phenotype_grouping(record: RoutingRecord, found: Phenotypes, outcome: Outcome, run: Run) -> Grouping:
    """The groups of the patients of an outcome, for their curves."""
    place = {patient: int(g) for patient, g in zip(record.ids, found.member, strict=True)}
    member = np.array([place.get(patient, -1) for patient in outcome.ids], dtype=np.int64)
    left = int((member < 0).sum())
    word = badge(run.protocol, False)
    warnings: tuple[str, ...] = ()
    if word == OPTIMISTIC:
        warnings = (
            "Circular: these models were chosen on the very patients they group, so the curves differ by construction.",
        )
    reason = "not judged by this run or without the data of this level"
    grouping = Grouping(
        str(found.choice.by), found.names, member, word, (Exclusion(reason, left),) if left else (), warnings=warnings
    )
    return _without_empty(grouping)


def _without_empty(grouping: Grouping) -> Grouping:
    """Only groups somebody selected is in."""
    used = [g for g in range(len(grouping.names)) if (grouping.member == g).any()]
    place = {g: i for i, g in enumerate(used)}
    member = np.array([place.get(int(g), -1) for g in grouping.member], dtype=np.int64)
    return replace(grouping, names=tuple(grouping.names[g] for g in used), member=member)


def made_of_missing(cohort: Cohort, record: RoutingRecord, found: Phenotypes, modalities: tuple[str, ...]) -> list[str]:
    """A sentence for every group that is nothing but the patients without one kind of data."""
    have = cohort.availability.reindex(list(record.ids))
    said = []
    for g, name in enumerate(found.names):
        inside = found.member == g
        for modality in modalities:
            lack = ~have[modality].to_numpy(dtype=bool)
            if lack[inside].mean() >= MOSTLY and lack.mean() < MOSTLY / 2:
                said.append(
                    f"{name[:1].upper()}{name[1:]}: {100 * lack[inside].mean():.0f} % of its patients have no "
                    f"{modality} ({100 * lack.mean():.0f} % of all). It tells what is missing, not a phenotype."
                )
    return said


def stability_words(found: Agreement) -> str:
    """``"0.62 (0.48 to 0.74), 6 pairs of models"``, or that it is not known."""
    if found.value is None or found.low is None or found.high is None:
        return "not known: it takes two models"
    words = f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f}), {found.pairs} pairs of models"
    return words.replace("-0", "\N{MINUS SIGN}0")


def phenotype_table(found: Phenotypes) -> pd.DataFrame:
    """One row a group: how many, and whether another seed finds it again."""
    return pd.DataFrame(
        [
            {
                "Group": name, "Patients": int((found.member == g).sum()),
                "Found again by other seeds (Jaccard)": "not known" if np.isnan(x) else f"{x:.2f}",
                "Stable": "yes" if found.stable(g) else "no, grey",
            }
            for g, (name, x) in enumerate(zip(found.names, found.stability, strict=True))
        ]
    )  # fmt: skip
