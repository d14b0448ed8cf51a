"""The sample's media as a task: the same whatever the processes, taken up after a stop, importable as a study."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import core.cohort.sample as sample_module
import core.tasks.complete_sample as task
from core.cohort.importing import import_into
from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.cohort.sample import SPECIFICATION
from core.cohort.storage import load_cohort
from core.media.synthetic.tissue_atlas import TissueAtlas
from core.results.workspace import Workspace
from core.tasks.complete_sample import TRUTH_FOLDER, complete_sample

PATIENTS = 5


@pytest.fixture(scope="module")
def flat_atlas() -> TissueAtlas:
    """Plain noise in place of tissue: what is tested here is the files, and they are made in a moment."""
    rng = np.random.default_rng(0)
    stains = rng.integers(0, 2**16, (6, 2048, 2048), dtype=np.uint16)
    cells = rng.integers(0, 256, (2048, 2048, 2), dtype=np.uint8)
    return TissueAtlas(stains, cells, cells[..., 0], rng.standard_normal((2048, 2048)).astype(np.float16))


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flat_atlas: TissueAtlas) -> None:
    """Small slides, none of them wide."""
    spec = json.loads(SPECIFICATION.read_text())
    spec["media"]["slides"] |= {"shortest_side": 1024, "longest_side": 1280, "wide": {"count": 0}}
    spec["media"]["slides"]["wide"] |= {"width": 16384, "height": 10240}
    path = tmp_path / "specification.json"
    path.write_text(json.dumps(spec))
    monkeypatch.setattr(sample_module, "SPECIFICATION", path)
    monkeypatch.setattr(task, "SPECIFICATION", path)
    monkeypatch.setattr(task, "make_atlas", lambda seed: flat_atlas)


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_two_processes_make_the_same_bytes_as_one(workspace: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path / "other")
    told: list[float] = []
    first = complete_sample(workspace, lambda share, text: told.append(share), patients=PATIENTS, processes=1)
    complete_sample(other, patients=PATIENTS, processes=2)
    assert hashes(workspace.media_of("sample")) == hashes(other.media_of("sample"))
    assert (first.made, first.found) == (PATIENTS, 0)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_stopped_build_goes_on_and_the_index_is_what_the_cohort_promises(workspace: Workspace) -> None:
    complete_sample(workspace, patients=PATIENTS, processes=1)
    before = hashes(workspace.media_of("sample"))
    cohort, index = load_cohort("sample", workspace), load_media("sample", workspace)
    for modality in (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS):
        promised = {i for i, there in cohort.availability[modality.value].items() if there}
        assert index.patients(modality) == promised
    assert all(Path(f.path).is_file() and f.patient in cohort.ids for f in index.files)
    assert not any(TRUTH_FOLDER in f.path for f in index.files)
    volumes = index.of(next(iter(index.patients(Modality.VOLUMES))), Modality.VOLUMES)
    assert [f.label for f in volumes if f.kind is MediaKind.MASK] == ["liver", "tumour"]
    assert sum(f.kind is MediaKind.VOLUME for f in volumes) == 5
    shutil.rmtree(workspace.media_of("sample") / cohort.ids[2])  # as if killed before this one was whole
    again = complete_sample(workspace, patients=PATIENTS, processes=1)
    assert (again.made, again.found) == (1, PATIENTS - 1)
    assert hashes(workspace.media_of("sample")) == before
    assert load_media("sample", workspace) == index


def test_another_seed_replaces_everything(workspace: Workspace) -> None:
    complete_sample(workspace, patients=PATIENTS, processes=1)
    old = load_cohort("sample", workspace).content_hash
    again = complete_sample(workspace, patients=PATIENTS, processes=1, seed=5)
    assert (again.made, again.found) == (PATIENTS, 0)
    assert load_cohort("sample", workspace).content_hash != old


def test_the_folder_imports_as_a_study_of_real_patients(workspace: Workspace, tmp_path: Path) -> None:
    complete_sample(workspace, patients=PATIENTS, processes=1)
    cohort = load_cohort("sample", workspace)
    study = tmp_path / "study"
    shutil.copytree(workspace.media_of("sample"), study)
    outcome = cohort.endpoint("OS")
    rows = zip(cohort.ids, outcome.time, outcome.event.astype(int), strict=True)
    table = ["id,time,event", *(f"{i},{t},{e}" for i, t, e in rows)]
    (study / "patients.csv").write_text("\n".join(table))
    imported = import_into(workspace, study, "study")
    for modality in (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS):
        assert imported.availability[modality.value].sum() == cohort.availability[modality.value].sum()
    there = [(f.kind, f.label) for f in load_media("study", workspace).files]
    made = [(f.kind, f.label) for f in load_media("sample", workspace).files]
    assert sorted(there) == sorted(made)
