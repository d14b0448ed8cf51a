"""A cohort's slide features as files that CLAM and TRIDENT read: one slide a file, pseudonyms for names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoded import EncodedCohort, load_features
from core.features.encoders import Encoded
from core.results.files import new_folder
from core.results.workspace import Workspace

_OBJECTIVE = 10.0  # µm/px × magnification of the usual scanners: 20x = 0.5, 40x = 0.25

Progress = Callable[[float, str], None]


class Layout(StrEnum):
    """Whose files."""

    CLAM = "clam"  # h5_files/<slide>.h5, pt_files/<slide>.pt and a table of slides (Lu et al., 2021)
    TRIDENT = "trident"  # <mag>x_<patch>px_0px_overlap/features_<encoder>/<slide>.h5 (Zhang et al., 2025)


@dataclass(frozen=True)
class ExportReport:
    """What was written, and the patients left out with the reason."""

    cohort: str
    encoder: str
    layout: Layout
    patients: int
    slides: int
    patches: int
    width: int
    left_out: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        left = [{"patient": p, "reason": r} for p, r in self.left_out]
        return {**vars(self), "layout": self.layout.value, "left_out": left}


def export_features(
    cohort: str, layout: Layout, target: Path, workspace: Workspace, progress: Progress | None = None
) -> ExportReport:
    """Write every slide's features and coordinates (level-0 px); the folder appears when all of it is there.

    Raises
    ------
    PrognoscopeError
        When no slides are encoded, none of them has coordinates, or ``target`` holds something already.
    """
    features = load_features(cohort, workspace)
    record = features.of(Modality.SLIDES)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise PrognoscopeError("a place that is taken", f"folder {target.name!r}", "name a new folder")
    left: list[tuple[str, str]] = list(record.skipped)
    table: list[tuple[str, str]] = []
    patches = 0
    with new_folder(target) as folder:
        for count, patient in enumerate(sorted(record.keys), 1):
            parts = _slides_of(features, patient, record.settings)
            if not parts:
                left.append((patient, "features without coordinates"))
            for number, part in enumerate(parts, 1):
                name = patient if len(parts) == 1 else f"{patient}-{number}"
                _write(folder, name, part, layout, record.encoder)
                table.append((patient, name))
                patches += len(part.features)
            if progress is not None:
                progress(count / len(record.keys), f"{count} of {len(record.keys)} patients")
        if not table:
            raise PrognoscopeError("no slide features with coordinates", f"cohort {cohort!r}", "encode its slides")
        if layout is Layout.CLAM:
            lines = ["case_id,slide_id", *(f"{patient},{name}" for patient, name in table)]
            (folder / "slides.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    patients = len({patient for patient, _ in table})
    return ExportReport(cohort, record.encoder, layout, patients, len(table), patches, record.width, tuple(left))


def _slides_of(features: EncodedCohort, patient: str, settings: Mapping[str, Any]) -> list[Encoded]:
    """A patient's bag, slide by slide, each with its own facts; the size of a patch is the encoder's where that is
    not among them."""
    bag = features.read(patient, Modality.SLIDES)
    if bag is None or bag.coordinates is None:
        return []
    sources = np.zeros(len(bag.features), dtype=np.int64) if bag.sources is None else bag.sources
    known = {"size": settings["patch"]} if "patch" in settings else {}
    facts = bag.facts.get("slides", {})
    return [
        Encoded(bag.features[rows], bag.coordinates[rows], facts={**known, **facts.get(str(number), {})})
        for number in np.unique(sources).tolist()
        for rows in [sources == number]
    ]


def _write(folder: Path, name: str, slide: Encoded, layout: Layout, encoder: str) -> None:
    if layout is Layout.CLAM:
        _write_h5(folder / "h5_files" / f"{name}.h5", slide, {}, _clam_facts(slide, name))
        _write_tensor(folder / "pt_files" / f"{name}.pt", slide)
        return
    facts = _trident_facts(slide, name)
    place = "patches"
    if "target_magnification" in facts:
        place = f"{facts['target_magnification']:g}x_{facts['patch_size']}px_0px_overlap"
    _write_h5(folder / place / f"features_{encoder}" / f"{name}.h5", slide, {"name": name, "encoder": encoder}, facts)


def _clam_facts(slide: Encoded, name: str) -> dict[str, Any]:
    """What CLAM keeps beside coordinates; the size of a patch is that at its level, here level 0."""
    side = slide.facts.get("side")
    return {"name": name} if side is None else {"name": name, "patch_size": int(side), "patch_level": 0}


def _trident_facts(slide: Encoded, name: str) -> dict[str, Any]:
    """What TRIDENT keeps beside coordinates; magnifications from the pixel sizes (10x is 1 µm/px)."""
    side, um_per_px = slide.facts.get("side"), slide.facts.get("um_per_px")
    if side is None:
        return {"name": name, "overlap": 0}
    facts: dict[str, Any] = {"name": name, "overlap": 0, "patch_size_level0": int(side)}
    size = slide.facts.get("size")
    if um_per_px and size:
        facts["patch_size"] = int(size)
        facts["target_magnification"] = round(_OBJECTIVE / um_per_px, 2)
        facts["level0_magnification"] = round(_OBJECTIVE * side / (um_per_px * size), 2)
    return facts


def _write_h5(path: Path, slide: Encoded, of_features: dict[str, Any], of_coords: dict[str, Any]) -> None:
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as stream:
        made = stream.create_dataset("features", data=np.asarray(slide.features, dtype=np.float32))
        made.attrs.update(of_features)
        made = stream.create_dataset("coords", data=np.asarray(slide.coordinates, dtype=np.int64))
        made.attrs.update(of_coords)


def _write_tensor(path: Path, slide: Encoded) -> None:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(torch.from_numpy(np.ascontiguousarray(slide.features, dtype=np.float32)), path)
