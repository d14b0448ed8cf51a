"""Features as CLAM and TRIDENT files: read back equal, whole or not there, named by pseudonym."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from core.cli.__main__ import main
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.features.encoders import make_encoder
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.export_features import Layout, export_features
from tests.tasks.media_cohort import SECRET, SLIDES, MediaCohort, make_media_cohort, write_slide


@pytest.fixture
def study(workspace: Workspace, tmp_path: Path) -> MediaCohort:
    """Three patients; the second has two slides, the third one that cannot be read."""
    made = make_media_cohort(workspace, tmp_path, slides=3)
    second = tmp_path / SECRET / "second.tif"
    write_slide(second, np.random.default_rng(8))
    more = MediaFile(made.cohort.ids[1], SLIDES, MediaKind.SLIDE, str(second))
    Path(made.index.files[2].path).write_bytes(b"II*\0")
    save_media("study", MediaIndex((*made.index.files, more)), workspace)
    encode(EncodeRequest("study", processes=1), workspace)
    return made


@pytest.mark.parametrize("layout", list(Layout))
def test_what_is_exported_is_imported_again(
    study: MediaCohort, workspace: Workspace, tmp_path: Path, layout: Layout
) -> None:
    target = tmp_path / "out"
    report = export_features("study", layout, target, workspace)
    one, two, bad = study.cohort.ids[:3]
    assert (report.patients, report.slides) == (2, 3)
    assert [patient for patient, _ in report.left_out] == [bad]
    files = {p.stem: p for p in target.rglob("*.h5")}
    assert set(files) == {one, f"{two}-1", f"{two}-2"}
    encoder = make_encoder("imported")
    for patient, names in ((one, [one]), (two, [f"{two}-1", f"{two}-2"])):
        original = load_features("study", workspace).read(patient, SLIDES)
        media = tuple(MediaFile(patient, SLIDES, MediaKind.SLIDE_FEATURES, str(files[n])) for n in names)
        again = encoder.encode(media)
        assert np.array_equal(again.features, original.features)
        assert np.array_equal(again.coordinates, original.coordinates)
        assert np.array_equal(again.sources, original.sources)
        assert {s["side"] for s in again.facts["slides"].values()} == {224}


def test_layouts_are_those_of_the_two_projects(study: MediaCohort, workspace: Workspace, tmp_path: Path) -> None:
    one = study.cohort.ids[0]
    export_features("study", Layout.CLAM, tmp_path / "clam", workspace)
    with h5py.File(tmp_path / "clam" / "h5_files" / f"{one}.h5") as stored:
        bag = np.asarray(stored["features"])
        assert (bag.dtype, bag.ndim, stored["coords"].shape) == (np.float32, 2, (len(bag), 2))
        assert stored["coords"].attrs["patch_size"] == 224
    tensor = torch.load(tmp_path / "clam" / "pt_files" / f"{one}.pt", weights_only=True)
    assert np.array_equal(tensor.numpy(), bag)
    assert (tmp_path / "clam" / "slides.csv").read_text().splitlines()[:2] == ["case_id,slide_id", f"{one},{one}"]
    export_features("study", Layout.TRIDENT, tmp_path / "trident", workspace)
    place = tmp_path / "trident" / "10x_112px_0px_overlap" / "features_colour-texture-nuclei" / f"{one}.h5"
    with h5py.File(place) as stored:
        assert np.array_equal(np.asarray(stored["features"]), bag)
        assert dict(stored["coords"].attrs) == {
            "name": one, "overlap": 0, "patch_size": 112, "patch_size_level0": 224, "target_magnification": 10.0,
            "level0_magnification": 20.0,
        }  # fmt: skip


def test_a_folder_appears_whole_or_not_at_all(
    study: MediaCohort, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine")
    with pytest.raises(PrognoscopeError, match="taken"):
        export_features("study", Layout.CLAM, taken, workspace)
    assert (taken / "thesis.txt").read_text() == "mine"

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("core.tasks.export_features._write_tensor", full)
    with pytest.raises(OSError, match="no space"):
        export_features("study", Layout.CLAM, tmp_path / "new", workspace)
    assert [p.name for p in tmp_path.iterdir() if "new" in p.name] == []


def test_command_line(
    study: MediaCohort, workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export-features", "study", "--format", "trident", "--to", str(tmp_path / "t"), "--json"]
    assert main(words) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["patients"], answer["slides"], answer["layout"], answer["width"]) == (2, 3, "trident", 60)
    assert main(words) == 1
    assert "name a new folder" in capsys.readouterr().err
    assert main(["export-features", "nobody", "--to", str(tmp_path / "u")]) == 1
