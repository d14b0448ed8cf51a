"""All files of one generated patient, in the layout of the plain study folder, and the truth about them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.cohort.modality import Modality
from core.media.synthetic.abdomen import make_abdomen
from core.media.synthetic.pyramid import write_slide
from core.media.synthetic.report_writer import write_report
from core.media.synthetic.slide_painter import SlidePainter
from core.media.synthetic.slide_plan import CELL, plan_slide
from core.media.synthetic.stain import colours
from core.media.synthetic.tissue_atlas import TissueAtlas
from core.media.synthetic.vessels import VesselStamps
from core.media.synthetic.volume_phantom import make_phases, write_nifti
from core.results.files import write_json

SLIDE, REPORT = "slides/section.tif", "reports/radiology.txt"
MASKS = ("liver", "tumour")
TRUTH, REGION = "truth.json", "region.png"
_STAIN, _SLIDE, _VOLUME, _REPORT = 95, 92, 93, 94  # streams of the generator


@dataclass(frozen=True, eq=False)
class PaintBox:
    """What every patient's pictures are made with: the specification's ``media`` part, the seed, textures, vessels."""

    law: Mapping[str, Any]
    seed: int
    sites: tuple[str, ...]
    atlas: TissueAtlas
    vessels: VesselStamps


def make_patient_media(
    finding: Mapping[str, Any], wanted: Mapping[Modality, bool], box: PaintBox, folder: Path, truth: Path
) -> None:
    """Write the slide, the five phases with their masks and the report that a patient has.

    Parameters
    ----------
    finding : mapping
        A row of ``SampleTruth.findings``. The same row and seed give the same bytes.
    wanted : mapping of modality to bool
    folder, truth : Path
        Folders that exist and are empty: for the files, and for what is planted in them.
    """
    found: dict[str, Any] = {}
    if wanted[Modality.SLIDES]:
        found["slide"] = _slide(finding, box, folder, truth)
    if wanted[Modality.VOLUMES]:
        found["volume"] = _volumes(finding, box, folder)
    if wanted[Modality.REPORTS]:
        rng = _stream(box, _REPORT, finding)
        report = write_report(finding, box.law["reports"], rng)
        _parent(folder / REPORT).write_text(report.text, encoding="utf-8")
        found["report"] = report.as_json()
    write_json(truth / TRUTH, found)


def _stream(box: PaintBox, part: int, finding: Mapping[str, Any]) -> np.random.Generator:
    return np.random.default_rng([box.seed, part, int(finding["number"])])


def _parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _slide(finding: Mapping[str, Any], box: PaintBox, folder: Path, truth: Path) -> dict[str, Any]:
    law = box.law["slides"]
    rng = _stream(box, _SLIDE, finding)
    plan = plan_slide(finding, rng)
    site = box.sites.index(str(finding["site"]))
    table = colours(np.random.default_rng([box.seed, _STAIN, site]), float(law["stain_shift_of_site"]))
    painter = SlidePainter(plan, box.atlas, box.vessels, table, rng, bool(finding["pen_mark"]))
    write_slide(painter, plan, float(law["microns_per_pixel"]), _parent(folder / SLIDE))
    # 0 glass, 128 tissue, 255 high risk
    region = np.where(plan.region, 255, np.where(plan.tissue > 0, 128, 0)).astype(np.uint8)
    Image.fromarray(region).save(truth / REGION)
    return {"high_risk_share": plan.high_risk_share, "region_cell_px": CELL, "width": plan.width, "height": plan.height}


def _volumes(finding: Mapping[str, Any], box: PaintBox, folder: Path) -> dict[str, Any]:
    law = box.law["volumes"]
    rng = _stream(box, _VOLUME, finding)
    abdomen = make_abdomen(finding, rng)
    for phase, image in make_phases(abdomen, finding, float(law["noise"]), rng).items():
        write_nifti(image, abdomen.spacing, _parent(folder / "volumes" / f"{phase}.nii.gz"))
    for name in MASKS:
        mask = getattr(abdomen, name).astype(np.uint8)
        write_nifti(mask, abdomen.spacing, _parent(folder / "masks" / f"{name}.nii.gz"))
    voxel = float(np.prod(abdomen.spacing)) / 1000
    return {
        "spacing": list(abdomen.spacing),
        "liver_ml": float(abdomen.liver.sum()) * voxel,
        "tumour_ml": float(abdomen.tumour.sum()) * voxel,
        "washout": float(finding["washout"]),
        "uptake": float(finding["uptake"]),
    }
