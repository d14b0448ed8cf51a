"""Make the sample cohort's slides, scans and reports, patient by patient, and index them as those of any cohort.

A finished patient's folder is whole (written aside, then renamed), so a build that was stopped goes on where it ended.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from core.cohort.cohort import Cohort
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, load_media, save_media
from core.cohort.modality import Modality
from core.cohort.sample import NAME, SPECIFICATION, SampleTruth, make_sample_cohort, save_sample
from core.cohort.sample_media import MEDIA
from core.cohort.storage import load_cohort
from core.media.synthetic.patient_media import MASKS, REPORT, SLIDE, PaintBox, make_patient_media
from core.media.synthetic.tissue_atlas import TissueAtlas, make_atlas
from core.media.synthetic.vessels import make_vessels
from core.media.synthetic.volume_phantom import PHASES
from core.results.files import MANIFEST, new_folder, read_json, write_json
from core.results.workspace import Workspace

MEDIA_VERSION = 1
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


@dataclass(frozen=True)
class _Work:
    """One patient to make."""

    patient: str
    finding: Mapping[str, Any]
    wanted: Mapping[Modality, bool]
    folder: Path
    truth: Path


@dataclass(frozen=True)
class _Recipe:
    """What a process needs to make patients; ``textures`` is the folder they are read from."""

    law: Mapping[str, Any]
    seed: int
    sites: tuple[str, ...]
    textures: Path

    def box(self) -> PaintBox:
        """The paint box, its textures mapped from the disk: all processes share their memory."""
        arrays = {f.name: np.load(self.textures / f"{f.name}.npy", mmap_mode="r") for f in fields(TissueAtlas)}
        return PaintBox(self.law, self.seed, self.sites, TissueAtlas(**arrays), make_vessels(self.seed))


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
    """
    started = time.perf_counter()
    tell = progress or (lambda share, text: None)
    cohort, truth = make_sample_cohort(patients, seed, name)
    _keep_tables(cohort, workspace, patients, seed)
    spec = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    used_seed = int(spec["seed"]) if seed is None else seed
    folder = workspace.media_of(name)
    _prepare_folder(folder, [MEDIA_VERSION, cohort.content_hash, spec["media"], used_seed])
    work = _work(cohort, truth, folder)
    left = [w for w in work if not (w.folder / MANIFEST).is_file()]
    if left:
        tell(0.0, "preparing the tissue textures")
        _keep_textures(folder / _TEXTURES, used_seed)
        recipe = _Recipe(spec["media"], used_seed, tuple(spec["sites"]), folder / _TEXTURES)
        done = len(work) - len(left)
        for _ in _made(recipe, left, processes):
            done += 1
            tell(0.98 * done / len(work), f"patient {done} of {len(work)}")
        shutil.rmtree(folder / _TEXTURES)
    index = MediaIndex(tuple(f for w in sorted(work, key=lambda w: w.patient) for f in _files(w)))
    if load_media(name, workspace) != index:
        save_media(name, index, workspace)
    tell(1.0, "slides, scans and reports are ready")
    size = sum(Path(f.path).stat().st_size for f in index.files)
    seconds = time.perf_counter() - started
    return SampleMedia(name, len(left), len(work) - len(left), len(index), size, seconds)


def _keep_tables(cohort: Cohort, workspace: Workspace, patients: int | None, seed: int | None) -> None:
    """Leave the stored tables alone when they are those of the specification."""
    there = cohort.name in workspace.names(workspace.cohorts)
    if not there or load_cohort(cohort.name, workspace).content_hash != cohort.content_hash:
        save_sample(workspace, cohort.name, patients, seed)


def _prepare_folder(folder: Path, made_from: list[Any]) -> None:
    """Empty the folder when its files were made from something else."""
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    mark = folder / _MARK
    if mark.is_file() and read_json(mark) == digest:
        return
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    write_json(mark, digest)


def _work(cohort: Cohort, truth: SampleTruth, folder: Path) -> list[_Work]:
    """Every patient, those with the largest slide first, so that no process ends long after the others."""
    have = cohort.availability[[m.value for m in MEDIA]].to_numpy(dtype=bool)
    rows = truth.findings.to_dict("records")
    work = []
    for patient, finding, there in zip(cohort.ids, rows, have, strict=True):
        wanted = dict(zip(MEDIA, (bool(x) for x in there), strict=True))
        work.append(_Work(patient, finding, wanted, folder / patient, folder / TRUTH_FOLDER / patient))
    area = [w.finding["slide_width"] * w.finding["slide_height"] * w.wanted[Modality.SLIDES] for w in work]
    return [work[i] for i in np.argsort(area, kind="stable")[::-1]]


def _keep_textures(folder: Path, seed: int) -> None:
    """The tissue textures as files, made once for all processes."""
    if folder.is_dir():
        return
    atlas = make_atlas(seed)
    with new_folder(folder) as new:
        for f in fields(TissueAtlas):
            np.save(new / f"{f.name}.npy", getattr(atlas, f.name), allow_pickle=False)


def _made(recipe: _Recipe, left: list[_Work], processes: int) -> Iterator[None]:
    """Make the patients, yielding after each one."""
    if processes == 1 or len(left) == 1:
        box = recipe.box()
        for work in left:
            _make(work, box)
            yield
        return
    # Spawned: this process may have loaded torch, whose threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_start, initargs=(recipe,)) as pool:
        futures = [pool.submit(_make_here, work) for work in left]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        finally:
            for future in futures:
                future.cancel()


_box: list[PaintBox] = []  # of this worker process


def _start(recipe: _Recipe) -> None:
    _box[:] = [recipe.box()]


def _make_here(work: _Work) -> None:
    _make(work, _box[0])


def _make(work: _Work, box: PaintBox) -> None:
    with new_folder(work.truth) as truth, new_folder(work.folder) as folder:
        make_patient_media(work.finding, work.wanted, box, folder, truth)


def _files(work: _Work) -> Iterator[MediaFile]:
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
