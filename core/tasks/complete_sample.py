"""Make the sample cohort's slides, scans and reports, patient by patient, and index them as those of any cohort.

A finished patient's folder is whole (written aside, then renamed), so a build that was stopped goes on where it ended.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.arrays import BoolArray
from core.cohort.cohort import Cohort
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, load_media, save_media
from core.cohort.modality import Modality
from core.cohort.sample import NAME, SPECIFICATION, SampleTruth, make_sample_cohort, save_sample, truth_path
from core.cohort.sample_media import MEDIA
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.jobs.lock import ProcessLock
from core.media.synthetic.patient_media import MASKS, REPORT, SLIDE
from core.media.synthetic.volume_phantom import PHASES
from core.results.files import MANIFEST, read_json, write_json
from core.results.workspace import Workspace, checked_name
from core.tasks.sample_patients import PatientWork, Recipe, keep_textures, made

MEDIA_VERSION = 2
"""Raised whenever a change of the generators changes a file."""
TRUTH_FOLDER = ".truth"
"""Beside the patients' folders: what is planted, never indexed, gone with the cohort's media. Only tests read it."""
_MARK, _TEXTURES = ".made-from.json", ".textures"

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class SampleMedia:
    """What a build did: patients made now and found finished, files in the index, bytes on disk, seconds."""

    cohort: str
    made: int
    found: int
    files: int
    size: int
    seconds: float


def complete_sample(
    workspace: Workspace,
    progress: Progress | None = None,
    name: str = NAME,
    patients: int | None = None,
    seed: int | None = None,
    processes: int = 2,
) -> SampleMedia:
    """Make what is missing of the sample cohort's media.

    The tables are made first where they are missing or older than the specification. Files of another specification or
    version are removed and made anew; the result does not depend on ``processes``.

    Parameters
    ----------
    name, patients, seed
        As for :func:`core.cohort.sample.save_sample`.

    Raises
    ------
    PrognoscopeError
        When another process is making them.
    """
    started = time.perf_counter()
    cohort, truth = make_sample_cohort(patients, seed, name)
    lock = ProcessLock(workspace.media / f".{checked_name(name, 'cohort name')}.lock")
    if not lock.take():
        raise PrognoscopeError("slides that are being made right now", f"cohort {name!r}", "wait until they are ready")
    try:
        _keep_tables(cohort, truth, workspace, patients, seed)
        made_now, work = _make_missing(cohort, truth, workspace, seed, processes, progress or (lambda s, m: None))
    finally:
        lock.release()
    index = MediaIndex(tuple(f for w in sorted(work, key=lambda w: w.patient) for f in _files(w)))
    if load_media(name, workspace) != index:
        save_media(name, index, workspace)
    if progress is not None:
        progress(1.0, "slides, scans and reports are ready")
    size = sum(Path(f.path).stat().st_size for f in index.files)
    seconds = time.perf_counter() - started
    return SampleMedia(name, made_now, len(work) - made_now, len(index), size, seconds)


def _make_missing(
    cohort: Cohort, truth: SampleTruth, workspace: Workspace, seed: int | None, processes: int, tell: Progress
) -> tuple[int, list[PatientWork]]:
    """How many patients had to be made, and all of them."""
    spec = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    used_seed = int(spec["seed"]) if seed is None else seed
    folder = workspace.media_of(cohort.name)
    have = cohort.availability[[m.value for m in MEDIA]].to_numpy(dtype=bool)
    _prepare_folder(folder, [MEDIA_VERSION, used_seed, spec["media"], truth.as_json()["findings"], have.tolist()])
    work = _work(cohort, truth, have, folder)
    left = [w for w in work if not (w.folder / MANIFEST).is_file()]
    if left:
        tell(0.0, "preparing the tissue textures")
        keep_textures(folder / _TEXTURES, used_seed)
        recipe = Recipe(spec["media"], used_seed, tuple(spec["sites"]), folder / _TEXTURES)
        done = len(work) - len(left)
        for _ in made(recipe, left, processes):
            done += 1
            tell(0.98 * done / len(work), f"patient {done} of {len(work)}")
        shutil.rmtree(folder / _TEXTURES)
    return len(left), work


def _keep_tables(
    cohort: Cohort, truth: SampleTruth, workspace: Workspace, patients: int | None, seed: int | None
) -> None:
    """Leave the stored tables and their truth alone when they are those of the specification."""
    there = cohort.name in workspace.names(workspace.cohorts) and truth_path(workspace, cohort.name).is_file()
    if (
        not there
        or load_cohort(cohort.name, workspace).content_hash != cohort.content_hash
        or read_json(truth_path(workspace, cohort.name)) != truth.as_json()
    ):
        save_sample(workspace, cohort.name, patients, seed)


def _prepare_folder(folder: Path, made_from: list[Any]) -> None:
    """Empty the folder when its files were made from something else; remove what a killed build left half-written."""
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    mark = folder / _MARK
    if mark.is_file() and read_json(mark) == digest:
        for half in (*folder.glob(".*.tmp"), *(folder / TRUTH_FOLDER).glob(".*.tmp")):
            shutil.rmtree(half)
        return
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    write_json(mark, digest)


def _work(cohort: Cohort, truth: SampleTruth, have: BoolArray, folder: Path) -> list[PatientWork]:
    """Every patient, those with the largest slide first, so that no process ends long after the others."""
    rows = truth.findings.to_dict("records")
    work = []
    for patient, finding, there in zip(cohort.ids, rows, have, strict=True):
        wanted = dict(zip(MEDIA, (bool(x) for x in there), strict=True))
        work.append(PatientWork(patient, finding, wanted, folder / patient, folder / TRUTH_FOLDER / patient))
    area = [w.finding["slide_width"] * w.finding["slide_height"] * w.wanted[Modality.SLIDES] for w in work]
    return [work[i] for i in np.argsort(area, kind="stable")[::-1]]


def _files(work: PatientWork) -> Iterator[MediaFile]:
    """What a finished patient has, as the index names it."""
    if work.wanted[Modality.SLIDES]:
        yield MediaFile(work.patient, Modality.SLIDES, MediaKind.SLIDE, str(work.folder / SLIDE))
    if work.wanted[Modality.VOLUMES]:
        for phase in PHASES:
            path = work.folder / "volumes" / f"{phase}.nii.gz"
            yield MediaFile(work.patient, Modality.VOLUMES, MediaKind.VOLUME, str(path), phase)
        for mask in MASKS:
            path = work.folder / "masks" / f"{mask}.nii.gz"
            yield MediaFile(work.patient, Modality.VOLUMES, MediaKind.MASK, str(path), mask)
    if work.wanted[Modality.REPORTS]:
        yield MediaFile(work.patient, Modality.REPORTS, MediaKind.REPORT, str(work.folder / REPORT), "radiology")
