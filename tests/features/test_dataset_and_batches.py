"""Who takes part and with what; bags of different sizes in one batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cohort.modality import Modality
from core.cohort.sample import make_sample_cohort
from core.errors import PrognoscopeError
from core.features.batch import Tensors, pad_bags
from core.features.inputs import Inputs, build_dataset
from core.features.preparation import Preparation

GENOMICS, CLINICAL, SLIDES = Modality.GENOMICS, Modality.CLINICAL, Modality.SLIDES


def test_patients_without_outcome_or_without_data_are_left_out_and_counted() -> None:
    cohort, _ = make_sample_cohort(80)
    endpoint = cohort.endpoint()
    time = endpoint.time.copy()
    time[[2, 5, 9]] = np.nan
    endpoint = replace(endpoint, time=time)
    dataset = build_dataset(cohort, endpoint, (GENOMICS,))
    has = cohort.availability["genomics"].to_numpy(dtype=bool)
    expected = np.flatnonzero(has & np.isfinite(time))
    assert dataset.rows.tolist() == expected.tolist()
    assert dataset.inputs.ids == tuple(np.array(cohort.ids)[expected])
    assert np.array_equal(dataset.outcome.time, time[expected])
    assert sum(e.count for e in dataset.excluded) == 80 - len(expected)
    assert next(e.count for e in dataset.excluded) == 3
    both = build_dataset(cohort, endpoint, (CLINICAL, GENOMICS))
    assert both.inputs.modalities == (GENOMICS, CLINICAL)  # always in one order, however they were asked for
    assert len(both.inputs) >= len(dataset.inputs)


def test_genes_are_those_of_the_families_and_family_numbers_point_at_them() -> None:
    cohort, _ = make_sample_cohort(40)
    assert cohort.genomics is not None
    families = {"tail": (7, 3, 11), "other": (3, 20), "none": ()}
    cohort = replace(cohort, genomics=replace(cohort.genomics, families=families))
    assert cohort.genomics is not None
    inputs = build_dataset(cohort, cohort.endpoint(), (GENOMICS, CLINICAL)).inputs
    assert inputs.columns == tuple(cohort.genomics.columns[i] for i in (3, 7, 11, 20))
    named = {name: [inputs.columns[i] for i in family] for name, family in inputs.families.items()}
    assert named == {k: [cohort.genomics.columns[i] for i in v] for k, v in families.items() if v}
    assert inputs.genes is not None
    rows = [cohort.ids.index(i) for i in inputs.ids]
    assert np.array_equal(inputs.genes, cohort.genomics.values[rows][:, [3, 7, 11, 20]], equal_nan=True)


def test_a_modality_nobody_has_is_refused_with_those_there_are() -> None:
    cohort, _ = make_sample_cohort(40)
    cohort = replace(cohort, availability=cohort.availability[["genomics", "clinical"]])
    with pytest.raises(PrognoscopeError, match=r"no patient has slides.*genomics, clinical"):
        build_dataset(cohort, cohort.endpoint(), (SLIDES,))


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(1, 9)), min_size=1, max_size=6))
def test_padding_stands_behind_the_patches(sizes: list[int | None]) -> None:
    random = np.random.default_rng(len(sizes))
    bags = [None if k is None else random.normal(size=(k, 3)).astype(np.float32) for k in sizes]
    padded, mask = pad_bags(bags, 3)
    for row, bag in enumerate(bags):
        count = 1 if bag is None else len(bag)
        assert mask[row].tolist() == [True] * count + [False] * (mask.shape[1] - count)
        assert float(padded[row, count:].abs().sum()) == 0.0
        assert torch.equal(padded[row, :count], torch.zeros(1, 3) if bag is None else torch.from_numpy(bag))


def test_sampled_patches_are_distinct_patches_of_the_bag_in_their_order() -> None:
    bag = np.arange(40, dtype=np.float32)[:, None]
    tensors = Tensors({SLIDES: torch.ones(2, dtype=torch.bool)}, bags={SLIDES: (bag, bag[:5])}, bag_width={SLIDES: 1})
    rows = np.array([0, 1])
    batch = tensors.batch(rows, 12, torch.Generator().manual_seed(0))
    chosen = batch.bags[SLIDES][0, :, 0].tolist()
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 12
    assert batch.bags[SLIDES][1, :5, 0].tolist() == [0, 1, 2, 3, 4]
    same = tensors.batch(rows, 12, torch.Generator().manual_seed(0))
    other = tensors.batch(rows, 12, torch.Generator().manual_seed(1))
    assert torch.equal(same.bags[SLIDES], batch.bags[SLIDES])
    assert not torch.equal(other.bags[SLIDES], batch.bags[SLIDES])
    assert tensors.batch(rows).bags[SLIDES].shape == (2, 40, 1)  # evaluation takes whole bags


def test_one_modality_alone_carries_nothing_of_the_others() -> None:
    cohort, _ = make_sample_cohort(40)
    inputs: Inputs = build_dataset(cohort, cohort.endpoint(), (GENOMICS, CLINICAL)).inputs
    genes, clinical = inputs.only(GENOMICS), inputs.only(CLINICAL)
    assert genes.clinical is None
    assert set(genes.present) == {GENOMICS}
    assert clinical.genes is None
    assert not clinical.families
    assert Preparation.fit(clinical).genes is None
    assert Preparation.fit(genes).shape.clinical == 0


def test_tensors_of_a_subset_are_rows_of_the_tensors_of_all() -> None:
    cohort, _ = make_sample_cohort(60)
    inputs = build_dataset(cohort, cohort.endpoint(), (GENOMICS, CLINICAL)).inputs
    preparation = Preparation.fit(inputs)
    rows = np.array([7, 0, 31])
    whole, part = preparation.tensors(inputs).batch(rows), preparation.tensors(inputs.take(rows)).batch(np.arange(3))
    assert whole.genes is not None
    assert part.genes is not None
    assert torch.equal(whole.genes, part.genes)
    assert torch.equal(whole.clinical, part.clinical)
    assert torch.equal(whole.present[GENOMICS], part.present[GENOMICS])
