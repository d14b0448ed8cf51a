"""The sample's media as a task: the same whatever the processes, taken up after a stop, importable as a study."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import core.cohort.sample as sample_module
import core.tasks.complete_sample as task
import core.tasks.sample_patients as patients_task
from core.cohort.importing import import_into
from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.cohort.sample import SPECIFICATION
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.jobs.lock import ProcessLock
from core.media.synthetic.tissue_atlas import TissueAtlas
from core.results.workspace import Workspace
from core.tasks.complete_sample import TRUTH_FOLDER, complete_sample

PATIENTS = 4


@pytest.fixture(scope="module", autouse=True)
def _small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Small slides of plain noise in place of tissue: what is tested here is the files, made in a moment."""
    rng = np.random.default_rng(0)
    stains = rng.integers(0, 2**16, (6, 2048, 2048), dtype=np.uint16)
    cells = rng.integers(0, 256, (2048, 2048, 2), dtype=np.uint8)
    atlas = TissueAtlas(stains, cells, cells[..., 0], rng.standard_normal((2048, 2048)).astype(np.float16))
    spec = json.loads(SPECIFICATION.read_text())
    spec["media"]["slides"] |= {"shortest_side": 512, "longest_side": 768}
    spec["media"]["slides"]["wide"]["count"] = 0
    path = tmp_path_factory.mktemp("specification") / "specification.json"
    path.write_text(json.dumps(spec))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_module, "SPECIFICATION", path)
        patch.setattr(task, "SPECIFICATION", path)
        patch.setattr(patients_task, "make_atlas", lambda seed: atlas)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the finished media of a few patients."""
    workspace = Workspace(tmp_path_factory.mktemp("built"))
    told: list[float] = []
    made = complete_sample(workspace, lambda share, text: told.append(share), patients=PATIENTS, processes=1)
    assert (made.made, made.found) == (PATIENTS, 0)
    assert told == sorted(told)
    assert told[-1] == 1.0
    return workspace


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_two_processes_make_the_same_bytes_as_one(built: Workspace, workspace: Workspace) -> None:
    complete_sample(workspace, patients=PATIENTS, processes=2)
    assert hashes(workspace.media_of("sample")) == hashes(built.media_of("sample"))


def test_the_index_is_what_the_cohort_promised_when_its_tables_were_made(built: Workspace) -> None:
    cohort, index = load_cohort("sample", built), load_media("sample", built)
    for modality in (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS):
        promised = {i for i, there in cohort.availability[modality.value].items() if there}
        assert index.patients(modality) == promised
    assert all(Path(f.path).is_file() and f.patient in cohort.ids for f in index.files)
    assert not any(TRUTH_FOLDER in f.path for f in index.files)
    volumes = index.of(next(iter(index.patients(Modality.VOLUMES))), Modality.VOLUMES)
    assert [f.label for f in volumes if f.kind is MediaKind.MASK] == ["liver", "tumour"]
    assert sum(f.kind is MediaKind.VOLUME for f in volumes) == 5


def test_a_stopped_build_goes_on(built: Workspace) -> None:
    before, index = hashes(built.media_of("sample")), load_media("sample", built)
    shutil.rmtree(built.media_of("sample") / index.files[0].patient)  # as if killed before this one was whole
    (built.media_of("sample") / ".SYN-0009.half.tmp" / "slides").mkdir(parents=True)
    again = complete_sample(built, patients=PATIENTS, processes=1)
    assert (again.made, again.found) == (1, PATIENTS - 1)
    assert hashes(built.media_of("sample")) == before
    assert load_media("sample", built) == index


def test_the_folder_imports_as_a_study_of_real_patients(built: Workspace, workspace: Workspace, tmp_path: Path) -> None:
    cohort = load_cohort("sample", built)
    study = tmp_path / "study"
    shutil.copytree(built.media_of("sample"), study)
    outcome = cohort.endpoint("OS")
    rows = zip(cohort.ids, outcome.time, outcome.event.astype(int), strict=True)
    table = ["id,time,event", *(f"{i},{t},{e}" for i, t, e in rows)]
    (study / "patients.csv").write_text("\n".join(table))
    imported = import_into(workspace, study, "study")
    for modality in (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS):
        assert imported.availability[modality.value].sum() == cohort.availability[modality.value].sum()
    there = [(f.kind, f.label) for f in load_media("study", workspace).files]
    made = [(f.kind, f.label) for f in load_media("sample", built).files]
    assert sorted(there) == sorted(made)


def test_another_seed_replaces_everything(built: Workspace) -> None:
    old = load_cohort("sample", built).content_hash
    again = complete_sample(built, patients=PATIENTS, processes=1, seed=5)
    assert (again.made, again.found) == (PATIENTS, 0)
    assert load_cohort("sample", built).content_hash != old


def test_two_builds_at_a_time_are_refused(built: Workspace) -> None:
    lock = ProcessLock(built.media / ".sample.lock")
    assert lock.take()
    with pytest.raises(PrognoscopeError, match="being made right now"):
        complete_sample(built, patients=PATIENTS, processes=1)
    lock.release()
