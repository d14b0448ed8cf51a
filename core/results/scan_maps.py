"""Where in a patient's scan the estimate came from: attribution volumes on the scan's own grid."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from core.arrays import Float32Array, FloatArray
from core.results.explained import Kind, explained_folder, opened
from core.results.files import new_folder, read_json, write_json
from core.results.workspace import Workspace


@dataclass(frozen=True, eq=False)
class ScanLayer:
    """One attribution volume.

    ``phase`` name of the scan it speaks of (:func:`core.media.scan_names.scan_names`), "" for all phases together ·
    ``values`` (x, y, z) float32 on that scan's voxel grid · ``affine`` (4, 4) voxel → mm, RAS+ · ``title``, ``unit``
    what people read · ``signed`` whether 0 is the middle · ``absent`` why there is none, or "".
    """

    key: str
    phase: str
    title: str
    unit: str
    signed: bool
    values: Float32Array
    affine: FloatArray
    absent: str = ""


@dataclass(frozen=True, eq=False)
class ScanMaps:
    """All attribution volumes of one patient under one run, for S(month).

    ``prediction`` and ``baseline`` S(month) in percent, of the scan and of what it is compared with; ``residual`` the
    percentage points of their difference that the map misses (its own error); None where there is no map.
    """

    run: str
    patient: str
    month: float
    models: int
    method: str
    encoder: str
    layers: tuple[ScanLayer, ...]
    synthetic: bool
    code_version: str
    seconds: float
    notes: tuple[str, ...] = ()
    prediction: float | None = None
    baseline: float | None = None
    residual: float | None = None


def save_scan_maps(found: ScanMaps, workspace: Workspace) -> None:
    """Store them; earlier ones of the same run and patient are replaced."""
    facts: dict[str, Any] = {k: v for k, v in vars(found).items() if k != "layers"}
    facts["layers"] = [{k: v for k, v in asdict(x).items() if k not in ("values", "affine")} for x in found.layers]
    arrays = {f"{x.key}.values": np.ascontiguousarray(x.values, dtype=np.float32) for x in found.layers}
    arrays |= {f"{x.key}.affine": np.ascontiguousarray(x.affine, dtype=np.float64) for x in found.layers}
    with new_folder(explained_folder(Kind.SCAN, found.run, found.patient, None, workspace)) as folder:
        write_json(folder / "maps.json", facts)
        save_file(arrays, folder / "maps.safetensors")


def load_scan_maps(run: str, patient: str, workspace: Workspace) -> ScanMaps:
    """Stored maps; raises when there are none."""
    folder = opened(Kind.SCAN, run, patient, None, workspace)
    facts, arrays = read_json(folder / "maps.json"), load_file(folder / "maps.safetensors")
    layers = tuple(
        ScanLayer(**x, values=arrays[f"{x['key']}.values"], affine=arrays[f"{x['key']}.affine"])
        for x in facts.pop("layers")
    )
    facts["notes"] = tuple(facts["notes"])
    return ScanMaps(layers=layers, **facts)
