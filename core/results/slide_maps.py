"""What a run's models looked at on a patient's slides: one number a patch and layer, in level-0 coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from core.arrays import Float32Array, IntArray
from core.results.explained import Kind, explained_folder, opened
from core.results.files import new_folder, read_json, write_json
from core.results.workspace import Workspace


class LayerKind(StrEnum):
    """What a layer's numbers are."""

    ATTENTION = "attention"  # weights of the class token, mean over unseen models; sums to 1 over a patient's patches
    RELEVANCE = "relevance"  # gradient × input of one expert's part of the risk, per patch, signed
    GRADIENT_ATTENTION = "gradient × attention"
    UNCERTAINTY = "uncertainty"  # standard deviation of the attention over the models


@dataclass(frozen=True, eq=False)
class MapLayer:
    """One layer over all patches of the patient.

    ``key`` short and safe in an address, e.g. ``attention`` or ``expert-level-2-3`` · ``title`` what people read, e.g.
    "relevance through expert 3 (level 2)" · ``values`` (n,), NaN where a patch has none · ``signed`` whether 0 is the
    middle · ``unit`` in words · ``absent`` why there is no map (the expert is not used for this patient), or "".
    """

    key: str
    title: str
    kind: LayerKind
    values: Float32Array
    signed: bool
    unit: str
    absent: str = ""


@dataclass(frozen=True, eq=False)
class SlideMaps:
    """All layers of one patient under one run.

    ``slides`` (n,) number of the slide each patch is from (the order of the media index) · ``coordinates`` (n, 2) x, y
    of each patch's corner in level-0 pixels · ``sides`` slide number → side of a patch in level-0 pixels · ``month``
    whose survival the signed layers explain · ``cohort_quantiles`` layer key → 101 quantiles of that layer over the
    patches of a sample of the run's patients, for the cohort scale (empty: not made).
    """

    run: str
    patient: str
    month: float
    models: int
    slides: IntArray
    coordinates: IntArray
    sides: Mapping[int, float]
    layers: tuple[MapLayer, ...]
    synthetic: bool
    encoder: str
    code_version: str
    seconds: float
    notes: tuple[str, ...] = ()
    cohort_quantiles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def layer(self, key: str) -> MapLayer | None:
        """A layer by its key, or None."""
        return next((x for x in self.layers if x.key == key), None)


def save_slide_maps(found: SlideMaps, workspace: Workspace) -> None:
    """Store them; earlier ones of the same run and patient are replaced."""
    apart = ("layers", "slides", "coordinates", "sides")
    facts = {k: v for k, v in vars(found).items() if k not in apart}
    facts["sides"] = {str(k): float(v) for k, v in found.sides.items()}
    facts["layers"] = [{k: v for k, v in asdict(x).items() if k != "values"} for x in found.layers]
    arrays: dict[str, Any] = {"slides": found.slides, "coordinates": found.coordinates}
    arrays |= {f"layer.{x.key}": np.ascontiguousarray(x.values, dtype=np.float32) for x in found.layers}
    with new_folder(explained_folder(Kind.SLIDE, found.run, found.patient, None, workspace)) as folder:
        write_json(folder / "maps.json", facts)
        save_file(arrays, folder / "maps.safetensors")


def load_slide_maps(run: str, patient: str, workspace: Workspace) -> SlideMaps:
    """Stored maps; raises when there are none."""
    folder = opened(Kind.SLIDE, run, patient, None, workspace)
    facts, arrays = read_json(folder / "maps.json"), load_file(folder / "maps.safetensors")
    layers = tuple(
        MapLayer(**{**x, "kind": LayerKind(x["kind"])}, values=arrays[f"layer.{x['key']}"]) for x in facts.pop("layers")
    )
    facts["sides"] = {int(k): v for k, v in facts["sides"].items()}
    facts["notes"] = tuple(facts["notes"])
    facts["cohort_quantiles"] = {k: tuple(v) for k, v in facts["cohort_quantiles"].items()}
    return SlideMaps(slides=arrays["slides"], coordinates=arrays["coordinates"], layers=layers, **facts)
