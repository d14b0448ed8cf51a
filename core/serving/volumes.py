"""A patient's scans, masks and attribution volumes for the viewer, and single slices of them as pictures.

Addresses: ``/scan/<cohort>/<opaque patient>/…``. One token opens all that belongs to the scans of one patient. A scan
is named by its place among the patient's volumes in the cohort's media index, never by its path.
"""

from __future__ import annotations

import math
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.media.nifti import nifti_bytes, nifti_of
from core.media.scan_slices import Heat, MaskOutline, Plane, slice_png
from core.media.scan_windows import Window
from core.media.volume_cache import VOLUMES
from core.media.volumes import Volume
from core.results.scan_maps import ScanLayer, load_scan_maps
from core.results.workspace import Workspace, checked_name
from core.serving.guard import guarded
from core.serving.opaque import media_of, opaque_patient, patient_of
from core.serving.prefix import prefixed
from core.serving.tokens import sign

_NIFTI = "application/gzip"
_FIX = "open the page again and use its link"


def scans_resource(cohort: str, opaque: str) -> str:
    """What a token for the scans of one patient is signed for."""
    return f"scans:{cohort}:{opaque}"


def scans_token(cohort: str, patient: str, visitor: str) -> str:
    """A token that lets ``visitor`` read the scans of a patient (pseudonym) for the next minutes."""
    return sign(visitor, scans_resource(cohort, opaque_patient(cohort, patient)))


def scan_files(cohort: str, patient: str, workspace: Workspace) -> tuple[MediaFile, ...]:
    """The volumes and masks of a patient's scans; their places are their numbers in addresses."""
    return media_of(cohort, workspace).of(patient, Modality.VOLUMES)


def _place(cohort: str, patient: str) -> str:
    return prefixed(f"/scan/{checked_name(cohort, 'cohort name')}/{opaque_patient(cohort, patient)}")


def scan_path(cohort: str, patient: str, number: int) -> str:
    """Path of a volume or mask, without the token (``?t=``)."""
    return f"{_place(cohort, patient)}/{number}.nii.gz"


def map_path(cohort: str, patient: str, run: str, layer: int) -> str:
    """Path of a layer of the stored attribution volumes of a run, without the token."""
    return f"{_place(cohort, patient)}/{checked_name(run, 'run id')}/{layer}.nii.gz"


def slice_path(cohort: str, patient: str, number: int, plane: Plane, **query: str) -> str:
    """Path of a slice: ``at`` mm (RAS+), ``low``, ``high``, ``outlines=1``, ``run``, ``layer``, ``limit``,
    ``threshold``, ``opacity`` and the token ``t`` may follow in the query."""
    place = f"{_place(cohort, patient)}/{number}/{plane.value}.png"
    return f"{place}?{urlencode(query)}" if query else place


def _resource(request: Request) -> str:
    return scans_resource(request.path_params["cohort"], request.path_params["patient"])


def _cohort(request: Request) -> str:
    return str(request.path_params["cohort"])


def _file(request: Request) -> MediaFile:
    cohort = request.path_params["cohort"]
    workspace = Workspace.default()
    files = scan_files(cohort, patient_of(cohort, request.path_params["patient"], workspace), workspace)
    number = int(request.path_params["number"])
    if not number < len(files):
        raise PrognoscopeError("no such scan", "the address", _FIX)
    return files[number]


def _layer(request: Request, run: str, number: int) -> ScanLayer:
    cohort = request.path_params["cohort"]
    workspace = Workspace.default()
    patient = patient_of(cohort, request.path_params["patient"], workspace)
    layers = load_scan_maps(run, patient, workspace).layers
    if not number < len(layers):
        raise PrognoscopeError("no such map", "the address", _FIX)
    return layers[number]


@guarded(_resource, _cohort)
def _scan(request: Request) -> Response:
    file = _file(request)
    volume = VOLUMES.read(file.path)
    content = nifti_of(volume.array > 0.5, volume.affine) if file.kind is MediaKind.MASK else nifti_bytes(volume)
    return Response(content, media_type=_NIFTI)


@guarded(_resource, _cohort)
def _map(request: Request) -> Response:
    layer = _layer(request, request.path_params["run"], request.path_params["layer"])
    return Response(nifti_of(layer.values, layer.affine), media_type=_NIFTI)


@guarded(_resource, _cohort)
def _slice(request: Request) -> Response:
    if request.path_params["plane"] not in set(Plane):
        raise PrognoscopeError("no such plane", "the address", _FIX)
    file, plane = _file(request), Plane(request.path_params["plane"])
    window = Window("", _number(request, "low", 0.0), _number(request, "high", 1.0))
    outlines: tuple[MaskOutline, ...] = ()
    if request.query_params.get("outlines"):
        cohort, workspace = request.path_params["cohort"], Workspace.default()
        files = scan_files(cohort, file.patient, workspace)
        outlines = tuple(MaskOutline(f.label, VOLUMES.read(f.path)) for f in files if f.kind is MediaKind.MASK)
    heat = None
    if request.query_params.get("run"):
        layer = _layer(request, request.query_params["run"], int(_number(request, "layer", 0.0)))
        heat = Heat(
            Volume(layer.values, layer.affine), _number(request, "limit", 1.0), _number(request, "threshold", 0.0),
            _number(request, "opacity", 0.6),
        )  # fmt: skip
    content = slice_png(VOLUMES.read(file.path), plane, _number(request, "at", 0.0), window, outlines, heat)
    return Response(content, media_type="image/png")


def _number(request: Request, name: str, default: float) -> float:
    text = request.query_params.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (name == "layer" and value < 0):
        raise PrognoscopeError(f"{name} that is no number", "the address", _FIX)
    return value


def routes() -> list[BaseRoute]:
    """Volumes, masks, attribution volumes and slices; each stands behind the token of the patient's scans."""
    place = "/scan/{cohort:str}/{patient:str}"
    return [
        Route(place + "/{number:int}.nii.gz", _scan, methods=["GET"]),
        Route(place + "/{run:str}/{layer:int}.nii.gz", _map, methods=["GET"]),
        Route(place + "/{number:int}/{plane:str}.png", _slice, methods=["GET"]),
    ]
