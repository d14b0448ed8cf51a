"""Image features by name: the means of what is stored, phases apart, and nothing of encoders without names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.cohort.modality import Modality
from core.cohort.storage import delete_cohort
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.features.encoders import Encoded
from core.features.image_means import image_means, named_means
from core.features.patch_features import NAMES
from core.features.volume_encoder import COLUMNS
from core.results.feature_records import EncodedModality
from core.results.image_means import encoded_images, image_means_stamp, load_image_means, no_names
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.image_means import ImageMeansRequest, summarise_images
from tests.tasks.media_cohort import make_media_cohort


def test_encoding_leaves_a_row_a_patient(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, patients=12, slides=3, volumes=2)
    encode(EncodeRequest("study", processes=1), workspace)
    features, there = load_features("study", workspace), encoded_images("study", {}, workspace)
    assert set(there) == {"slides", "volumes"}

    slides = load_image_means("study", "slides", there["slides"], workspace)
    assert slides is not None
    assert slides.names == NAMES
    rows = slides.of(made.cohort.ids)
    patient = features.read(made.cohort.ids[1], Modality.SLIDES)
    assert patient is not None
    np.testing.assert_allclose(rows[1], patient.features.astype(float).mean(axis=0), rtol=1e-6)
    assert np.isnan(rows[3:]).all()

    scans = load_image_means("study", "volumes", there["volumes"], workspace)
    assert scans is not None
    patient = features.read(made.cohort.ids[0], Modality.VOLUMES)
    assert patient is not None
    arterial = list(patient.labels or ()).index("arterial")
    value = scans.of(made.cohort.ids)[0, scans.names.index("liver mean, arterial")]
    assert value == pytest.approx(patient.features[arterial, COLUMNS.index("liver mean")], rel=1e-6)

    before = image_means_stamp("study", "slides", there["slides"], workspace)
    assert summarise_images(ImageMeansRequest("study"), workspace) == ("slides", "volumes")
    assert image_means_stamp("study", "slides", there["slides"], workspace) != before
    delete_cohort("study", workspace)
    assert not list((workspace.features / "means").iterdir())


def test_phases_stand_apart_and_shapes_once() -> None:
    columns = ("phase native", "phase arterial", "liver mean", "tumour volume, log ml")
    two = Encoded(np.array([[1, 0, 0.2, 3.0], [0, 1, 0.6, 3.0]], dtype=np.float32), columns=columns)
    one = Encoded(np.array([[1, 0, 0.4, np.nan]], dtype=np.float32), columns=columns)
    found = image_means("c", "volumes", "e", iter([("a", named_means(two)), ("b", named_means(one))]))
    assert found.names == ("liver mean, native", "liver mean, arterial", "tumour volume, log ml")
    np.testing.assert_allclose(found.of(("b", "x", "a")), [[0.4, np.nan, np.nan], [np.nan] * 3, [0.2, 0.6, 3.0]])


def test_features_without_names_are_not_compared() -> None:
    black = EncodedModality("phikon-v2", 1, {}, 1024, (), {"a": "k"})
    assert "phikon-v2, whose 1,024 numbers have no names" in no_names("slides", black)
    assert named_means(Encoded(np.ones((2, 4), dtype=np.float32))) == {}


def test_a_cohort_without_encoded_images_says_so(workspace: Workspace, tmp_path: Path) -> None:
    make_media_cohort(workspace, tmp_path, patients=8)
    with pytest.raises(PrognoscopeError, match="no encoded slides or scans"):
        summarise_images(ImageMeansRequest("study"), workspace)
