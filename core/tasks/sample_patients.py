"""Making the sample's patients in processes of their own; each one's files are written whole or not at all."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from core.cohort.modality import Modality
from core.media.synthetic.patient_media import PaintBox, make_patient_media
from core.media.synthetic.tissue_atlas import TissueAtlas, make_atlas
from core.media.synthetic.vessels import make_vessels
from core.results.files import new_folder


@dataclass(frozen=True)
class PatientWork:
    """One patient to make."""

    patient: str
    finding: Mapping[str, Any]
    wanted: Mapping[Modality, bool]
    folder: Path
    truth: Path


@dataclass(frozen=True)
class Recipe:
    """What a process needs to make patients; ``textures`` is the folder they are read from."""

    law: Mapping[str, Any]
    seed: int
    sites: tuple[str, ...]
    textures: Path

    def box(self) -> PaintBox:
        """The paint box, its textures mapped from the disk: all processes share their memory."""
        arrays = {f.name: np.load(self.textures / f"{f.name}.npy", mmap_mode="r") for f in fields(TissueAtlas)}
        return PaintBox(self.law, self.seed, self.sites, TissueAtlas(**arrays), make_vessels(self.seed))


def keep_textures(folder: Path, seed: int) -> None:
    """The tissue textures as files, made once for all processes."""
    if folder.is_dir():
        return
    atlas = make_atlas(seed)
    with new_folder(folder) as new:
        for f in fields(TissueAtlas):
            np.save(new / f"{f.name}.npy", getattr(atlas, f.name), allow_pickle=False)


def made(recipe: Recipe, left: list[PatientWork], processes: int) -> Iterator[None]:
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


def _start(recipe: Recipe) -> None:
    _box[:] = [recipe.box()]


def _make_here(work: PatientWork) -> None:
    _make(work, _box[0])


def _make(work: PatientWork, box: PaintBox) -> None:
    with new_folder(work.truth) as truth, new_folder(work.folder) as folder:
        make_patient_media(work.finding, work.wanted, box, folder, truth)
