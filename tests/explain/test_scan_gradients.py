"""Gradients to the voxels of a scan add up to what they explain and find what was planted."""

from __future__ import annotations

import numpy as np
import pytest

from core.explain.scan_gradients import voxel_effects
from core.features.scan import read_scan
from tests.explain.scan_runs import Opened, auroc, brightest, opened, quiet, shown

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def by_gradients(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """All experts answer: with one chosen, S jumps along the path, and no gradient adds up."""
    return opened(tmp_path_factory.mktemp("gradients"), "monai-small", top_k=4)


def test_gradients_add_up_to_the_difference(by_gradients: Opened) -> None:
    patient = brightest(by_gradients, 1)[0]
    maps = by_gradients.explain(patient)
    assert maps.prediction == pytest.approx(shown(by_gradients, patient), abs=1e-2)
    total = sum(float(x.values.sum(dtype=np.float64)) * 4 * 4 * 5 / 1000 for x in maps.layers)
    assert maps.prediction is not None
    assert maps.baseline is not None
    size = float(sum(np.abs(x.values).sum() for x in maps.layers)) * 4 * 4 * 5 / 1000
    assert size > 1
    assert total == pytest.approx(maps.prediction - maps.baseline, abs=0.1)
    assert maps.residual == pytest.approx(maps.prediction - maps.baseline - total, abs=1e-3)
    assert {x.phase for x in maps.layers} == {"t1", "arterial"}
    for layer in maps.layers:
        assert not layer.values[~by_gradients.planted.liver].any()


def test_gradients_weigh_the_tumour_more_in_the_phase_that_shows_it(by_gradients: Opened) -> None:
    found: dict[str, list[float]] = {"t1": [], "arterial": []}
    for patient in brightest(by_gradients, 2):
        for layer in by_gradients.explain(patient).layers:
            tumour = by_gradients.planted.tumours[patient]
            found[layer.phase].append(auroc(layer.values, tumour, by_gradients.planted.liver))
    print("AUROC by gradients", {k: np.round(v, 2) for k, v in found.items()})
    assert np.mean(found["arterial"]) > 0.6
    assert np.mean(found["arterial"]) > np.mean(found["t1"])


def test_more_points_miss_less(by_gradients: Opened) -> None:
    patient = brightest(by_gradients, 1)[0]
    scan, survival = read_scan(by_gradients.files(patient)), by_gradients.survival(patient)
    few = voxel_effects(by_gradients.encoder, scan, survival, quiet, most_seconds=0.0)  # type: ignore[arg-type]
    many = voxel_effects(by_gradients.encoder, scan, survival, quiet)  # type: ignore[arg-type]
    assert few.steps < many.steps or abs(few.residual) < 0.1
    assert abs(many.residual) <= abs(few.residual) + 0.01
