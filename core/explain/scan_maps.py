"""Where in a patient's scan the estimate came from: by gradients where the encoder has them, by regions elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Float32Array, FloatArray
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.bag_survival import BagSurvival
from core.explain.run_models import RunModels
from core.explain.scan_ablation import RegionEffects, region_effects
from core.explain.scan_gradients import voxel_effects
from core.explain.scan_regions import Regions, cut_out, make_regions
from core.features.encoders import Encoder
from core.features.scan import Scan, read_scan
from core.features.volume_encoder import ShapeIntensity
from core.features.volume_network import SmallNetwork
from core.features.volume_resnet import PhaseResNet
from core.media.scan_names import scan_names
from core.media.volumes import Volume
from core.results.scan_maps import ScanLayer, ScanMaps

Progress = Callable[[float, str], None]
REGIONS = 32
_SAME = 1e-3


@dataclass(frozen=True)
class ScanSource:
    """What a record says of its making."""

    synthetic: bool
    code_version: str


def scan_maps(
    models: RunModels, patient: str, month: float, files: tuple[MediaFile, ...], encoder: Encoder, source: ScanSource,
    progress: Progress,
) -> ScanMaps:  # fmt: skip
    """Attribution volumes of S(month), the mean over the models that never saw the patient.

    Parameters
    ----------
    files : tuple of MediaFile
        The patient's volumes and masks, in the order in which they were encoded.
    encoder : Encoder
        The very encoder, with its settings, whose features the run was trained on.

    Raises
    ------
    PrognoscopeError
        For a patient whose scans were not encoded, files that changed since, or an encoder without a way back to the
        scan.
    """
    started = time.perf_counter()
    bag = models.inputs.bags.get(Modality.VOLUMES, (None,) * len(models.inputs))[models.row(patient)]
    if bag is None:
        raise PrognoscopeError(
            "no scan of this patient that the run read", f"run {models.run.id}", "choose a patient with an encoded scan"
        )
    progress(0.02, "reading the scans")
    unseen = models.unseen(patient)
    survival = BagSurvival(models, unseen, patient, Modality.VOLUMES, month)
    scan = read_scan(files)
    if isinstance(encoder, ShapeIntensity):
        encoded = encoder.encode_scan(scan)
        _check_same(encoded.features, bag)
        made = _by_regions(encoder, scan, survival, month, progress)
    elif isinstance(encoder, SmallNetwork | PhaseResNet):
        encoded = encoder.encode(files)
        _check_same(encoded.features, bag)
        made = _by_gradients(encoder, scan, survival, month, files, progress)
    else:
        raise PrognoscopeError(
            f"scans encoded by {encoder.name}, from whose features no way leads back to the scan",
            f"run {models.run.id}",
            "encode the scans with shape-intensity, monai-small or monai-resnet and train on them",
        )
    notes = (*made.notes, *(f"{w[:1].upper()}{w[1:]}." for w in encoded.warnings))
    return ScanMaps(
        models.run.id, patient, month, len(unseen), made.method, encoder.name, made.layers, source.synthetic,
        source.code_version, time.perf_counter() - started, notes, made.prediction, made.baseline, made.residual,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Made:
    method: str
    layers: tuple[ScanLayer, ...]
    notes: tuple[str, ...]
    prediction: float
    baseline: float
    residual: float


def _check_same(now: Float32Array, stored: Float32Array) -> None:
    if now.shape != stored.shape or not np.allclose(now, stored, rtol=_SAME, atol=_SAME, equal_nan=True):
        raise PrognoscopeError(
            "scans that give other features than those the run read", "the patient's files",
            "encode the cohort again (./run cli encode) and train the run again",
        )  # fmt: skip


def _by_regions(encoder: ShapeIntensity, scan: Scan, survival: BagSurvival, month: float, progress: Progress) -> _Made:
    small = cut_out(scan)
    regions = make_regions(small, REGIONS)
    effects = region_effects(
        encoder, small, regions, survival, lambda share, words: progress(0.05 + 0.9 * share, words)
    )
    whole = next(p.volume for p in scan.phases if "liver" in p.masks) if _has_liver(scan) else scan.phases[0].volume
    unit = f"percentage points of survival at month {month:g}, a region"
    layers = tuple(
        ScanLayer(key, "", title, unit, True, _painted(values, regions, whole), whole.affine)
        for key, title, values in (
            ("shared", "Share of each region", effects.shared),
            ("alone", "Effect of replacing one region", effects.alone),
        )
    )
    method = (
        f"Shapley values of {regions.count} regions (SLIC supervoxels, tumour apart) by {effects.orders} sampled orders"
        f" (captum ShapleyValueSampling), and the effect of one region alone (captum FeatureAblation); a region is"
        f" taken away by giving it this patient's mean liver intensity and taking it out of the tumour mask; the"
        f" encoder is run again each time. Resolution: regions of {np.median(regions.ml):.0f} ml (median)"
    )
    notes = tuple(n.replace(" -", " \N{MINUS SIGN}") for n in _region_notes(effects, regions, month))
    return _Made(method, layers, notes, effects.prediction, effects.baseline, effects.residual)


def _region_notes(effects: RegionEffects, regions: Regions, month: float) -> tuple[str, ...]:
    notes = [
        f"Blue regions raise the estimate, orange ones lower it. With this scan S({month:g}) is"
        f" {effects.prediction:.1f} %; were the whole liver average liver without tumour it would be"
        f" {effects.baseline:.1f} %. The regions share out the difference of"
        f" {effects.prediction - effects.baseline:+.1f} percentage points.",
    ]
    if effects.tumour is not None:
        notes.append(f"All tumour regions together: {effects.tumour:+.1f} percentage points.")
    else:
        notes.append("There is no tumour mask: the regions are parts of the whole.")
    notes.append(
        f"Sampling error of a region: {float(effects.error.mean()):.2f} percentage points on average"
        f" (largest {float(effects.error.max()):.2f}); what the shares miss of the difference:"
        f" {effects.residual:+.4f}."
    )
    if len(effects.signs) and effects.signs.min() < 1:
        steady = int((effects.signs == 1).sum())
        notes.append(f"All models agree on the direction of {steady} of {regions.count} regions.")
    notes.append(
        "A region without texture is something no model saw in training: small differences mean little."
        " Outside of the liver (the region that was measured) the encoder reads nothing: there the map is 0."
    )
    return tuple(notes)


def _by_gradients(
    encoder: SmallNetwork | PhaseResNet, scan: Scan, survival: BagSurvival, month: float, files: Sequence[MediaFile],
    progress: Progress,
) -> _Made:  # fmt: skip
    effects = voxel_effects(encoder, scan, survival, lambda share, words: progress(0.05 + 0.9 * share, words))
    names = _names(files)
    layers = tuple(
        ScanLayer(
            f"gradients-{place}", names[phase.number], "Integrated gradients",
            f"percentage points of survival at month {month:g}, a ml", True,
            (values / phase.volume.voxel_ml).astype(np.float32), phase.volume.affine,
        )
        for place, (phase, values) in enumerate(zip(scan.phases, effects.values, strict=False))
    )  # fmt: skip
    totals = ", ".join(
        f"{names[phase.number]} {float(values.sum(dtype=np.float64)):+.1f}"
        for phase, values in zip(scan.phases, effects.values, strict=False)
    )
    notes = (
        f"Blue voxels raise the estimate, orange ones lower it. With this scan S({month:g}) is"
        f" {effects.prediction:.1f} %; with a liver of its mean intensity throughout it would be"
        f" {effects.baseline:.1f} %.",
        f"By phase, in percentage points: {totals}.".replace(" -", " \N{MINUS SIGN}"),
        f"What the voxels miss of the difference (the method's own error): {effects.residual:+.2f} percentage points"
        f" ({effects.worst:.2f} at one place of the path: more than a little means that the model exchanges an expert"
        f" there, which no gradient sees).",
        "Outside of the liver (the region that was cut out) the encoder reads nothing: there the map is 0.",
    )
    method = (
        f"Integrated gradients (captum, {effects.steps} points) through the encoder and the survival network, from the"
        f" patient's mean liver intensity to the scan. Resolution: {_resolution(encoder, scan)}"
    )
    return _Made(method, layers, notes, effects.prediction, effects.baseline, effects.residual)


def _resolution(encoder: SmallNetwork | PhaseResNet, scan: Scan) -> str:
    if isinstance(encoder, PhaseResNet):
        return f"the encoder's grid of {encoder.spacing:g} mm"
    values, _ = encoder.box(scan.phases[0])
    edges = np.array(values.shape) * np.array(scan.phases[0].volume.spacing) / encoder.side
    return "the encoder's grid of " + " × ".join(f"{e:.1f}" for e in edges) + " mm"


def _has_liver(scan: Scan) -> bool:
    return any("liver" in p.masks for p in scan.phases)


def _names(files: Sequence[MediaFile]) -> dict[int, str]:
    """Number of a volume among the files without the masks → its name on screen."""
    labels = [f.label for f in files if f.kind is not MediaKind.MASK]
    return dict(enumerate(scan_names(labels)))


def _painted(values: FloatArray, regions: Regions, whole: Volume) -> Float32Array:
    """A region's value in each of its voxels, on the grid of the whole scan."""
    painted = np.concatenate([[0.0], values])[regions.labels].astype(np.float32)
    start = np.rint((np.linalg.inv(whole.affine) @ regions.reference.affine)[:3, 3]).astype(int)
    full = np.zeros(whole.array.shape, dtype=np.float32)
    full[tuple(slice(s, s + n) for s, n in zip(start, painted.shape, strict=True))] = painted
    return full
