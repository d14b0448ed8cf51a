"""Groups the gates make, whether other seeds make them too, what sets them apart, and arms within them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from core.analysis.arm_interaction import arm_interaction
from core.analysis.gates import (
    MEAN,
    Models,
    gate_rows,
    load_table,
    match_words,
    model_choices,
    patient_order,
    patients_of,
)
from core.analysis.grouping import Grouping
from core.analysis.outcome import make_outcome
from core.analysis.phenotypes import By, PhenotypeChoice, choices, clusters, make_phenotypes, phenotype_grouping
from core.analysis.profile import profile
from core.cohort.sample import make_sample_cohort
from core.results.image_means import ImageMeans
from tests.pages.builders import make_large_cohort, make_predictions, make_run
from tests.pages.routings import make_level, make_routing

COHORT = make_sample_cohort()[0]
PREDICTIONS = make_predictions(COHORT)
RECORD = make_routing(COHORT, PREDICTIONS)
MATCHED = replace(RECORD, levels={"level 2": RECORD.levels["level 2"]})


def test_models_stand_together_only_where_their_experts_match() -> None:
    assert model_choices(MATCHED)[0] == Models()
    single = model_choices(RECORD)
    assert all(m.fold != MEAN for m in single)
    assert len(single) == 5 * 2
    assert patients_of(RECORD, single[0]).tolist() == np.flatnonzero(RECORD.fold == 0).tolist()
    assert "0.20 between folds" in match_words(RECORD.levels)
    assert match_words(MATCHED.levels) == ""


def test_patients_are_sorted_and_loads_tabulated() -> None:
    rows = gate_rows(RECORD, Models())
    assert rows.mass.shape == (7, len(RECORD))
    outcome = make_outcome(COHORT, np.arange(len(COHORT)))
    inside = patients_of(RECORD, Models(0, 1))
    order = patient_order(RECORD, rows, outcome, "predicted risk", inside)
    assert sorted(order) == inside.tolist()
    survival = RECORD.estimate.mean(axis=0)[order]
    assert (np.diff(survival) <= 0).all()
    table = load_table(RECORD)
    assert table["Models"].tolist() == [10, 10]
    assert table["Match between seeds"].tolist() == ["0.20", "0.90"]


def test_a_stable_expert_makes_a_stable_group_and_noise_does_not() -> None:
    good = make_phenotypes(MATCHED, PhenotypeChoice(By.DOMINANT, "level 2"))
    assert good.seeds.value is not None
    assert good.seeds.value > 0.95
    assert all(good.stable(g) for g in range(3))
    bad = make_phenotypes(RECORD, PhenotypeChoice(By.DOMINANT, "level 1 · genomics"))
    assert bad.seeds.value is not None
    assert bad.seeds.value < 0.2
    assert not any(bad.stable(g) for g in range(len(bad.names)))
    noisy = make_level("level 2", RECORD.fold, 3, 3.0, matched=True)
    chance = make_phenotypes(replace(RECORD, levels={"level 2": noisy}), PhenotypeChoice(By.DOMINANT, "level 2"))
    assert "other groups" in chance.verdict
    assert choices(MATCHED)[0] is By.DOMINANT
    assert By.GATES not in choices(replace(RECORD, levels={"x": RECORD.levels["level 1 · genomics"]}))


def test_planted_clusters_are_found_the_same_each_time() -> None:
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [50, 30, 20])
    values = random.normal(size=(100, 2)) + 20 * np.array([[0, 0], [1, 0], [0, 1]])[truth]
    assert clusters(values, 3).tolist() == truth.tolist()


def test_groups_go_to_their_curves_with_the_right_badge() -> None:
    found = make_phenotypes(MATCHED, PhenotypeChoice(By.DOMINANT, "level 2"))
    outcome = make_outcome(COHORT, np.arange(len(COHORT)))
    run = make_run(COHORT, PREDICTIONS)
    grouping = phenotype_grouping(MATCHED, found, outcome, run)
    assert grouping.badge == "out-of-fold"
    assert not grouping.warnings
    place = dict(zip(RECORD.ids, found.member, strict=True))
    assert [place[i] for i in outcome.ids] == grouping.member.tolist()
    circular = phenotype_grouping(MATCHED, found, outcome, replace(run, protocol="upstream"))
    assert circular.warnings[0].startswith("Circular")


def test_effects_and_p_are_those_of_mann_and_whitney() -> None:
    inside = np.zeros(len(COHORT), dtype=bool)
    inside[:70] = True
    found = profile(COHORT, inside, ~inside).table.set_index("name")
    ages = COHORT.patients["age"].to_numpy(dtype=float)
    known = np.isfinite(ages)
    u, p = mannwhitneyu(ages[inside & known], ages[~inside & known], method="asymptotic")
    count = (inside & known).sum() * (~inside & known).sum()
    assert found.loc["age", "effect"] == pytest.approx(2 * u / count - 1)
    assert found.loc["age", "p"] == pytest.approx(p)
    share = found.loc["sex: male"]
    assert share["effect"] == pytest.approx(share["inside"] - share["outside"])
    assert (found["q"] >= found["p"] - 1e-12).all()
    assert "takes 10" in profile(COHORT, np.arange(len(COHORT)) < 5, np.arange(len(COHORT)) >= 5).reason


def test_a_planted_image_feature_is_found_with_the_statistics_of_the_rest() -> None:
    inside = np.arange(len(COHORT)) % 3 == 0
    random = np.random.default_rng(7)
    values = random.normal(size=(150, 40))
    values[np.flatnonzero(inside[:150]), 5] += 1.5
    values[random.random(values.shape) < 0.05] = np.nan
    images = ImageMeans("sample", "slides", "e", tuple(f"f{i}" for i in range(40)), COHORT.ids[:150], values)
    table = profile(COHORT, inside, ~inside, (images,)).table
    found = table[table["kind"] == "slide feature"].set_index("name")
    assert len(found) == 40
    assert table["name"].iloc[0] == "f5"
    known = np.isfinite(values[:, 5])
    first, second = values[known & inside[:150], 5], values[known & ~inside[:150], 5]
    u, p = mannwhitneyu(first, second, method="asymptotic")
    assert found.loc["f5", "p"] == pytest.approx(p)
    assert found.loc["f5", "effect"] == pytest.approx(2 * u / (len(first) * len(second)) - 1)
    assert found.loc["f5", "inside_n"] == len(first)
    others = found.drop("f5")
    assert (others["q"] > 0.05).mean() > 0.9
    genes = profile(COHORT, inside, ~inside).table
    assert len(table) == len(genes) + 40  # one correction over everything that was compared


def test_a_planted_interaction_is_found_and_few_events_are_refused() -> None:
    cohort = make_large_cohort(1500)
    random = np.random.default_rng(1)
    n = len(cohort)
    member, arm = random.integers(0, 2, n), random.integers(0, 2, n)
    hazard = 0.02 * np.exp(np.where((member == 1) & (arm == 1), 1.2, 0.0))
    outcome = make_outcome(cohort, np.arange(n))
    outcome = replace(outcome, time=random.exponential(1 / hazard) + 0.01, codes=np.ones(n, dtype=np.int64))
    cohort = replace(cohort, patients=cohort.patients.assign(arm=np.array(["a", "b"])[arm]))
    grouping = Grouping("g", ("low", "high"), member)
    found = arm_interaction(cohort, "arm", outcome, grouping)
    assert found.p is not None
    assert found.p < 1e-6
    ratio = found.ratios.set_index("group")["ratio"]
    assert ratio["low"] == pytest.approx(1, abs=0.25)
    assert ratio["high"] == pytest.approx(np.exp(1.2), rel=0.3)
    assert isinstance(found.ratios, pd.DataFrame)
    few = replace(outcome, codes=np.zeros(n, dtype=np.int64))
    assert "0 events" in arm_interaction(cohort, "arm", few, grouping).reason
