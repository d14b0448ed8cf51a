"""The training support: as many false alarms as stated, and patients it has to find."""

from __future__ import annotations

import numpy as np
import pytest

from core.cohort.modality import Modality
from core.features.gene_units import GeneScales, unit_family
from core.training.scoring_files import support_file
from core.training.state_files import read_state, write_state
from core.training.support import Support
from core.training.support_block import NEIGHBOURS, QUANTILE, SupportBlock
from tests.training.planted import SLIDES, planted_dataset


def correlated(n: int, columns: int, seed: int) -> np.ndarray:
    loadings = np.random.default_rng(1).normal(size=(12, columns))
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 12)) @ loadings / 3 + random.normal(size=(n, columns))


@pytest.mark.parametrize("columns", [3, 300])
def test_new_patients_of_the_same_kind_are_called_outside_as_seldom_as_stated(columns: int) -> None:
    rates = [
        np.mean(SupportBlock.fit(correlated(300, columns, seed)).ratio(correlated(1500, columns, 500 + seed)) > 1)
        for seed in range(4)
    ]
    assert np.mean(rates) == pytest.approx(1 - QUANTILE, abs=0.01)


def test_unusual_values_and_unusual_patterns_are_both_found() -> None:
    block = SupportBlock.fit(correlated(300, 300, 0))
    new = correlated(200, 300, 9)
    assert (block.ratio(4 * new) > 1).all(), "usual patterns, unusual values"
    strange = new[:, np.random.default_rng(4).permutation(300)]
    assert (block.ratio(strange) > 1).mean() > 0.95, "usual values, a pattern no training patient had"
    gaps = np.where(np.random.default_rng(5).random(new.shape) < 0.1, np.nan, new)
    assert (block.ratio(gaps) > 1).mean() < 0.06, "a tenth of the values missing makes nobody strange"


@pytest.mark.parametrize("columns", [3, 300])
def test_patients_who_are_all_alike_support_themselves_and_nobody_else(columns: int) -> None:
    block = SupportBlock.fit(np.ones((30, columns)))
    assert (block.ratio(np.ones((2, columns))) <= 1).all()
    assert (block.ratio(np.full((2, columns), 2.0)) > 1).all()


def test_the_distance_is_the_mean_to_the_nearest_training_patients() -> None:
    random = np.random.default_rng(0)
    values, new = random.normal(size=(80, 4)), random.normal(size=(7, 4))
    by_hand = [np.sort(np.linalg.norm(values - x, axis=1))[:NEIGHBOURS].mean() for x in new]
    np.testing.assert_allclose(SupportBlock.fit(values).distances(new)[:, 0], by_hand)


def test_what_lies_outside_the_main_components_is_measured() -> None:
    values = correlated(120, 60, 0)
    block, new = SupportBlock.fit(values), correlated(5, 60, 3)
    centred = values - values.mean(axis=0)
    main = np.linalg.svd(centred, full_matrices=False)[2][:32]
    rest = (new - values.mean(axis=0)) @ (np.eye(60) - main.T @ main)
    np.testing.assert_allclose(block.distances(new)[:, 1], np.linalg.norm(rest, axis=1))


def test_flat_columns_and_copies_make_nobody_strange() -> None:
    random = np.random.default_rng(0)
    values = np.repeat(random.normal(size=(200, 1)), 80, axis=1) * 0.3  # one direction in eighty columns
    values[:, 40:] = 7.0 + 1e-9 * random.normal(size=(200, 40))
    block = SupportBlock.fit(values[:150], standardise=True)
    stored = SupportBlock.restore(block.arrays())
    assert (stored.ratio(values[150:]) > 1).mean() < 0.1
    values[150:, 0] += 3
    assert (stored.ratio(values[150:]) > 1).all()


def test_a_fold_judges_every_modality_and_comes_back_from_its_file(tmp_path: object) -> None:
    from pathlib import Path

    dataset = planted_dataset(200, missing=0.2, bags=True)
    support = Support.fit(dataset.inputs.take(np.arange(150)))
    new = dataset.inputs.take(np.arange(150, 200))
    path = Path(str(tmp_path)) / support_file(0)
    write_state(support.state(), path)
    first, second = support.judge(new), Support.restore(read_state(path)).judge(new)
    for modality in (Modality.GENOMICS, Modality.CLINICAL, SLIDES):
        np.testing.assert_array_equal(np.isnan(first.ratio[modality]), ~new.present[modality])
        np.testing.assert_allclose(second.ratio[modality], first.ratio[modality], rtol=1e-4)
        assert np.nanmean(first.ratio[modality] > 1) < 0.1
    assert not first.untrained[Modality.GENOMICS].any(), "a fifth of the training patients lacked genes too"
    assert not first.untrained[SLIDES].any()
    nobody = new.take(np.arange(5))
    absent = {**nobody.present, SLIDES: np.zeros(5, dtype=bool)}
    without = type(nobody)(**{**vars(nobody), "present": absent, "bags": {SLIDES: (None,) * 5}})
    assert support.judge(without).untrained[SLIDES].all(), "no training patient lacked slides"


def test_units_are_compared_by_what_they_say() -> None:
    assert unit_family("z-scores relative to all samples") == unit_family("z-score")
    assert unit_family("log2(TPM + 1)") == "log2"
    assert unit_family("RSEM counts") == "counts"
    assert unit_family("as given") == ""


@pytest.mark.parametrize("patients", [1, 5, 200])
def test_scales_match_for_any_number_of_new_patients(patients: int) -> None:
    random = np.random.default_rng(0)
    width = random.uniform(0.5, 2, 80)
    columns = tuple(f"G{i}_rnaseq" for i in range(80))
    scales = GeneScales.of((random.normal(size=(300, 80)) * width).astype(np.float32), columns, {"rnaseq": "as given"})
    new = (random.normal(size=(patients, 80)) * width).astype(np.float32)
    assert scales.mismatch("rnaseq", new, "z-score") == ""
    for wrong in (new + 8, new * 10, new / 10, np.exp2(new + 6)):
        assert "another scale" in scales.mismatch("rnaseq", wrong.astype(np.float32), "z-score")


def test_whole_numbers_stay_whole_numbers_in_their_range() -> None:
    random = np.random.default_rng(0)
    columns = tuple(f"G{i}_cnv" for i in range(40))
    scales = GeneScales.of(random.integers(-2, 3, (100, 40)).astype(np.float32), columns, {"cnv": "as given"})
    calls = random.integers(-2, 3, (30, 40)).astype(np.float32)
    assert scales.mismatch("cnv", calls, "") == ""
    assert "no whole numbers" in scales.mismatch("cnv", calls + 0.3, "")
    assert "outside the training range" in scales.mismatch("cnv", calls + 2, "")


def test_real_cohorts_of_one_source_match(shared_data: object) -> None:
    from pathlib import Path

    from core.cohort.importing import import_cohort

    folder = Path(str(shared_data)) / "tcga"
    first, second = (
        import_cohort(folder / name, name, families=folder / "signatures.csv", secret=b"x" * 32).cohort
        for name in ("lihc", "blca")
    )
    assert first.genomics is not None
    assert second.genomics is not None
    scales = GeneScales.of(np.asarray(first.genomics.values), first.genomics.columns, first.genomics.units)
    place = {c: i for i, c in enumerate(second.genomics.columns)}
    values = np.full((len(second), len(first.genomics.columns)), np.nan, dtype=np.float32)
    for i, column in enumerate(first.genomics.columns):
        if column in place:
            values[:, i] = second.genomics.values[:, place[column]]
    for kind, unit in second.genomics.units.items():
        assert scales.mismatch(kind, values, unit) == ""
    assert "another scale" in scales.mismatch("rnaseq", values + 7, "as given")
