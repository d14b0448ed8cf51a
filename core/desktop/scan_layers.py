"""Scans, masks and attribution as layers of a napari viewer, in mm (RAS+), in radiological convention.

The patient's right is on the left of the picture, front and head are up, and a sagittal slice faces left, as in the
browser's viewer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.arrays import Float32Array, FloatArray
from core.desktop.session import ScanEntry, Session
from core.errors import PrognoscopeError
from core.media.scan_slices import LOWERS, MASK_COLOURS, RAISES
from core.media.scan_windows import windows_of
from core.media.volumes import Volume, read_volume
from core.results.scan_maps import ScanLayer, load_scan_maps
from core.results.workspace import Workspace

THRESHOLD, FULL = 0.1, 99.0
"""Attribution below this share of the full colour is not drawn at first; the percentile of \\|value\\| that is full."""
OPACITY = 0.7
_STRAIGHT = 1e-3
_FIRST = ("portal", "venous", "arterial")


def add_scans(viewer: Any, session: Session) -> tuple[str, ...]:
    """Put all phases, masks and maps into the viewer; what could not be shown, in words."""
    told: list[str] = []
    phases = [s for s in session.scans if not s.mask]
    first = next((s for word in _FIRST for s in phases if word in s.name.lower()), phases[0])
    shown = [name for entry in phases if (name := _add_phase(viewer, entry, entry is first, told))]
    for entry in session.scans:
        if entry.mask:
            _add_mask(viewer, entry, told)
    if session.scan_maps:
        for layer in load_scan_maps(session.run, session.patient, Workspace(Path(session.workspace))).layers:
            if not layer.absent:
                _add_attribution(viewer, layer)
    if shown:
        viewer.dims.axis_labels = ("R", "A", "S")
        viewer.dims.order = (2, 1, 0)  # axial: front up, the patient's right on the left
        viewer.scene.camera.orientation2d = ("up", "left")
        viewer.scene.overlays.axes.visible = viewer.canvas.overlays.scale_bar.visible = (
            True  # the arrows name the patient's right, front and head
        )
        viewer.reset_view()
        _step_to(viewer, session)
    return tuple(told)


def _add_phase(viewer: Any, entry: ScanEntry, visible: bool, told: list[str]) -> str:
    try:
        volume = read_volume(entry.path)
    except PrognoscopeError as error:
        told.append(f"{entry.name}: {error.found}")
        return ""
    window = windows_of(volume)[0]
    values, place = placed(volume.array, volume.affine, order=1)
    viewer.add_image(
        values, name=entry.name, colormap="gray", contrast_limits=(window.low, window.high), visible=visible,
        interpolation2d="linear", **place,
    )  # fmt: skip
    told += [f"{entry.name}: {w}" for w in volume.warnings]
    return entry.name


def _add_mask(viewer: Any, entry: ScanEntry, told: list[str]) -> None:
    from napari.utils.colormaps import DirectLabelColormap  # type: ignore[import-untyped]

    try:
        mask = read_volume(entry.path)
    except PrognoscopeError as error:
        told.append(f"mask {entry.name}: {error.found}")
        return
    inside, place = placed((mask.array > 0.5).astype(np.uint8), mask.affine, order=0)
    colour = (*(c / 255 for c in MASK_COLOURS.get(entry.name, MASK_COLOURS["region"])), 1.0)
    colours = DirectLabelColormap(color_dict={1: colour, None: (0, 0, 0, 0), 0: (0, 0, 0, 0)})
    layer = viewer.add_labels(inside, name=f"mask: {entry.name}", colormap=colours, opacity=0.9, **place)
    layer.contour = 1


def _add_attribution(viewer: Any, layer: ScanLayer) -> None:
    values, place = placed(layer.values, layer.affine, order=0)
    viewer.add_image(
        attribution_colours(values), rgb=True, name=f"{layer.title} ({layer.unit})", interpolation2d="nearest",
        blending="translucent", opacity=OPACITY, contrast_limits=(0, 255), metadata={"key": layer.key}, **place,
    )  # fmt: skip


def attribution_colours(values: Float32Array) -> NDArray[np.uint8]:
    """(x, y, z, 4): the colour of the sign, the more opaque the larger the value; little is not drawn."""
    size = np.abs(values)
    known = size[size > 0]
    full = float(np.percentile(known, FULL)) if len(known) else 1.0
    share = np.clip(size / full, 0, 1) * (size > THRESHOLD * full)
    colours = np.empty((*values.shape, 4), dtype=np.uint8)
    colours[..., :3] = np.where(values[..., None] > 0, np.array(RAISES, np.uint8), np.array(LOWERS, np.uint8))
    colours[..., 3] = np.rint(255 * share)
    return colours


def placed(values: NDArray[Any], affine: FloatArray, order: int) -> tuple[NDArray[Any], dict[str, Any]]:
    """Voxels turned along R, A, S and where they lie: ``scale`` and ``translate`` in mm.

    A scan whose voxels lie askew is sampled anew on a straight grid (``order`` 0 nearest, 1 linear), as fine as its
    finest edge: napari would cut it along its own axes.
    """
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

    turn = io_orientation(affine)  # type: ignore[no-untyped-call]
    straight = apply_orientation(values, turn)  # type: ignore[no-untyped-call]
    grid = affine @ inv_ornt_aff(turn, values.shape)  # type: ignore[no-untyped-call]
    edges = np.abs(np.diag(grid)[:3])
    if np.abs(grid[:3, :3] - np.diag(np.diag(grid)[:3])).max() > _STRAIGHT * edges.max():
        straight, grid = _resampled(straight, grid, order)
    scale = tuple(float(s) for s in np.diag(grid)[:3])
    return straight, {"scale": scale, "translate": tuple(float(t) for t in grid[:3, 3]), "units": ("mm",) * 3}


def _resampled(values: NDArray[Any], affine: FloatArray, order: int) -> tuple[NDArray[Any], FloatArray]:
    last = np.array(values.shape) - 1
    corners = np.array(np.meshgrid(*([0, n] for n in last))).reshape(3, -1)
    places = affine[:3, :3] @ corners + affine[:3, 3:]
    low, high = places.min(axis=1), places.max(axis=1)
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    steps = np.abs(affine[:3, :3] / edges) @ edges  # the edge of a voxel along each axis of the body, about
    shape = tuple(int(n) for n in np.ceil((high - low) / steps) + 1)
    grid = np.diag([*steps, 1.0])
    grid[:3, 3] = low
    across = np.linalg.inv(affine) @ grid
    outside = float(values.min()) if order else 0.0
    moved = ndimage.affine_transform(
        values, across[:3, :3], across[:3, 3], shape, order=order, mode="constant", cval=outside
    )
    return moved, grid


def _step_to(viewer: Any, session: Session) -> None:
    """Begin in the middle of the tumour, else of the liver, else of the scan."""
    for label in ("tumour", "liver"):
        for entry in session.scans:
            if entry.mask and entry.name == label:
                found = _middle(entry)
                if found is not None:
                    viewer.dims.point = tuple(found)
                    return


def _middle(entry: ScanEntry) -> FloatArray | None:
    try:
        mask: Volume = read_volume(entry.path)
    except PrognoscopeError:
        return None  # said where the mask was to be drawn
    places = np.argwhere(mask.array > 0.5)
    if not len(places):
        return None
    nearest = places[np.square(places - places.mean(axis=0)).sum(axis=1).argmin()]
    return np.asarray((mask.affine @ [*nearest, 1.0])[:3])
