"""All that the scan viewer is given of one patient: addresses and numbers, no pseudonym, no path, no date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.cohort.media_index import MediaFile, MediaKind
from core.errors import PrognoscopeError
from core.media.scan_facts import ScanFacts, facts_of, interval_words
from core.media.scan_names import scan_names
from core.media.scan_slices import LOWERS, MASK_COLOURS, RAISES, Plane, bounds_mm
from core.media.scan_windows import in_hounsfield, windows_of
from core.media.volume_cache import VOLUMES
from core.media.volumes import Volume
from core.results.scan_maps import ScanMaps
from core.results.workspace import Workspace
from core.serving.libraries import library_address
from core.serving.opaque import opaque_patient
from core.serving.volumes import map_path, scan_files, scan_path, scans_token, slice_path

_FIRST = ("portal", "venous", "arterial")
"""Phases shown first, where there is one."""


@dataclass(frozen=True, eq=False)
class ReadScan:
    """One readable volume: its place among the patient's files, its name, its voxels and what may be said of it."""

    number: int
    name: str
    volume: Volume
    facts: ScanFacts


@dataclass(frozen=True, eq=False)
class PatientScans:
    """The scans of a patient: ``scans`` that can be shown, ``masks`` (place, label, mask), ``failures`` (name, why)."""

    cohort: str
    patient: str
    scans: tuple[ReadScan, ...]
    masks: tuple[tuple[int, str, Volume], ...]
    failures: tuple[tuple[str, str], ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know before looking."""
        told = [f"{s.name}: {s.facts.burned_in.warning}" for s in self.scans if s.facts.burned_in.warning]
        told += [f"{s.name}: {w}" for s in self.scans for w in s.volume.warnings]
        return tuple(told)

    def facts(self) -> tuple[tuple[str, dict[str, str]], ...]:
        """(scan, what → value), with the time since the patient's first scan where the files say it."""
        first = min((s.facts.taken for s in self.scans if s.facts.taken is not None), default=None)
        return tuple((s.name, dict(s.facts.rows) | {"When": interval_words(s.facts.taken, first)}) for s in self.scans)

    @property
    def start(self) -> tuple[float, float, float]:
        """mm to begin at: the middle of the tumour, else of the liver, else of the first scan."""
        for label in ("tumour", "liver"):
            for _, name, mask in self.masks:
                if name == label and (mask.array > 0.5).any():
                    return _inside(mask)
        x, y, z = bounds_mm(self.scans[0].volume).mean(axis=0)
        return float(x), float(y), float(z)


def _inside(mask: Volume) -> tuple[float, float, float]:
    """The voxel of the mask nearest to its centre of mass: a ring's centre lies outside of it."""
    places = np.argwhere(mask.array > 0.5)
    nearest = places[np.square(places - places.mean(axis=0)).sum(axis=1).argmin()]
    x, y, z, _ = mask.affine @ np.array([*nearest, 1.0])
    return float(x), float(y), float(z)


def read_scans(cohort: str, patient: str, workspace: Workspace) -> PatientScans:
    """Read all scans of a patient; one that cannot be read is kept with its reason."""
    files = list(enumerate(scan_files(cohort, patient, workspace)))
    volumes = [(i, f) for i, f in files if f.kind is MediaKind.VOLUME]
    names = scan_names([f.label for _, f in volumes])
    scans, masks, failures = [], [], []
    for (number, file), name in zip(volumes, names, strict=True):
        try:
            volume = VOLUMES.read(file.path)
            scans.append(ReadScan(number, name, volume, facts_of(file.path, volume)))
        except PrognoscopeError as error:
            failures.append((name, _reason(error)))
    for number, file in files:
        if file.kind is MediaKind.MASK:
            label = file.label or "region"
            try:
                masks.append((number, label, VOLUMES.read(file.path)))
            except PrognoscopeError as error:
                failures.append((f"mask {label}", _reason(error)))
    return PatientScans(cohort, patient, tuple(scans), tuple(masks), tuple(failures))


def has_scans(cohort: str, patient: str, workspace: Workspace) -> bool:
    """Whether the index of media names a scan of this patient."""
    files: tuple[MediaFile, ...] = scan_files(cohort, patient, workspace)
    return any(f.kind is MediaKind.VOLUME for f in files)


def viewer_data(found: PatientScans, maps: ScanMaps | None, visitor: str) -> dict[str, Any]:
    """Plain values for the component. ``found`` has at least one scan; ``maps`` None shows no attribution."""
    cohort, patient = found.cohort, found.patient
    first = next((i for word in _FIRST for i, s in enumerate(found.scans) if word in s.name.lower()), 0)
    return {
        "id": f"{cohort}:{opaque_patient(cohort, patient)}",
        "library": library_address("niivue.umd.js"),
        "token": scans_token(cohort, patient, visitor),
        "colours": {"raises": _hex(RAISES), "lowers": _hex(LOWERS)},
        "first": first,
        "start": list(found.start),
        "phases": [_phase(cohort, patient, scan) for scan in found.scans],
        "masks": [
            {"label": label, "url": scan_path(cohort, patient, number), "colour": _hex(_colour(label))}
            for number, label, _ in found.masks
        ],
        "maps": [] if maps is None else _maps(cohort, patient, maps),
    }


def _phase(cohort: str, patient: str, scan: ReadScan) -> dict[str, Any]:
    """Slices are stepped through by the distance of voxels that lie most along each axis of the body."""
    steps = np.abs(scan.volume.affine[:3, :3]).max(axis=1)
    return {
        "label": scan.name,
        "url": scan_path(cohort, patient, scan.number),
        "slices": {p.value: slice_path(cohort, patient, scan.number, p) for p in Plane},
        "windows": [{"name": w.name, "low": w.low, "high": w.high} for w in windows_of(scan.volume)],
        "units": "HU" if in_hounsfield(scan.volume) else "",
        "bounds": bounds_mm(scan.volume).tolist(),
        "spacing": steps.tolist(),
    }


def _maps(cohort: str, patient: str, maps: ScanMaps) -> list[dict[str, Any]]:
    """One colour scale for all phases of a map: side by side, equal colours are equal numbers."""
    limits: dict[str, float] = {}
    for layer in maps.layers:
        if not layer.absent:
            limits[layer.title] = max(limits.get(layer.title, 0.0), colour_limit(layer.values))
    return [
        {
            "title": layer.title, "unit": layer.unit, "signed": layer.signed, "phase": layer.phase,
            "absent": layer.absent, "url": map_path(cohort, patient, maps.run, number), "run": maps.run,
            "layer": number, "limit": limits.get(layer.title, 1.0),
        }
        for number, layer in enumerate(maps.layers)
    ]  # fmt: skip


def colour_limit(values: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """Where the colours of a map are full: the 99th percentile of its absolute values that are not 0."""
    size = np.abs(values[values != 0])
    return float(np.percentile(size, 99)) if len(size) else 1.0


def _reason(error: PrognoscopeError) -> str:
    return f"{error.found}; {error.fix}"


def _colour(label: str) -> tuple[int, int, int]:
    return MASK_COLOURS.get(label, MASK_COLOURS["region"])


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
