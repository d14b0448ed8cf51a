"""From the store to a model: bags of the right patients, and plain words where something is not encoded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.features.inputs import build_dataset
from core.features.preparation import Preparation
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from tests.tasks.media_cohort import REPORTS, SECRET, SLIDES, VOLUMES, make_media_cohort


def test_bags_belong_to_their_patients(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, slides=3, volumes=5, reports=20)
    (tmp_path / SECRET / "7.txt").unlink()
    encode(EncodeRequest("study", processes=1), workspace)
    features = load_features("study", workspace)
    cohort, endpoint = made.cohort, made.cohort.endpoint()
    dataset = build_dataset(cohort, endpoint, (REPORTS, SLIDES, VOLUMES), features)
    assert dataset.inputs.modalities == (SLIDES, VOLUMES, REPORTS)
    expected = [p for i, p in enumerate(cohort.ids) if i < 20 and i != 7 and endpoint.known[i]]
    assert list(dataset.inputs.ids) == expected
    assert dataset.warnings == ("the reports of 1 patient could not be read and count as missing",)
    assert set(dataset.encoders) == {"slides", "volumes", "reports"}
    for modality in dataset.inputs.modalities:
        for patient, bag, here in zip(
            expected, dataset.inputs.bags[modality], dataset.inputs.present[modality], strict=True
        ):
            kept = features.read(patient, modality)
            assert here == (kept is not None)
            assert (bag is None) == (kept is None)
            if kept is not None:
                assert np.array_equal(bag, kept.features, equal_nan=True)
    everyone = build_dataset(cohort, endpoint, (Modality.CLINICAL, REPORTS), features)
    lost = everyone.inputs.ids.index(cohort.ids[7])
    assert not everyone.inputs.present[REPORTS][lost]
    assert everyone.inputs.present[Modality.CLINICAL][lost]


def test_what_is_not_encoded_is_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, reports=4)
    cohort, endpoint = made.cohort, made.cohort.endpoint()
    for features in (None, load_features("study", workspace)):
        with pytest.raises(PrognoscopeError, match=r"the reports are not encoded.*cli encode study"):
            build_dataset(cohort, endpoint, (REPORTS,), features)
    encode(EncodeRequest("study", processes=1), workspace)
    more = replace(cohort, availability=cohort.availability.assign(reports=np.arange(len(cohort)) < 6))
    with pytest.raises(PrognoscopeError, match="reports of 2 patients not encoded"):
        build_dataset(more, endpoint, (REPORTS,), load_features("study", workspace))


def test_the_scaler_of_the_training_patients_travels_with_the_state(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, volumes=8, reports=12)
    encode(EncodeRequest("study", processes=1), workspace)
    features = load_features("study", workspace)
    inputs = build_dataset(made.cohort, made.cohort.endpoint(), (VOLUMES, REPORTS), features).inputs
    train = inputs.take(np.arange(6))
    fitted = Preparation.fit(train)
    restored = Preparation.restore(fitted.as_json(), fitted.arrays())
    assert np.array_equal(fitted.pooled_bags(inputs), restored.pooled_bags(inputs))
    batch, again = (p.tensors(inputs).batch(np.arange(len(inputs))) for p in (fitted, restored))
    for modality in (VOLUMES, REPORTS):
        assert bool((batch.bags[modality] == again.bags[modality]).all())
        assert bool(batch.bags[modality].isfinite().all())  # a scan without a tumour mask has values not measured
        assert not bool(batch.bags[modality][~batch.masks[modality]].any())
        rows = np.concatenate([fitted.bags[modality].transform(b) for b in train.bags[modality] if b is not None])
        assert np.abs(rows.mean(axis=0)).max() < 0.5
    raw = Preparation.fit(train, scale_bags=False)
    assert raw.pooled_bags(inputs) is None
    first = inputs.bags[REPORTS][0]
    assert first is not None
    assert np.array_equal(raw.tensors(inputs).batch(np.array([0])).bags[REPORTS][0, : len(first)].numpy(), first)
