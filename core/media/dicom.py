"""A folder of DICOM slices → one volume. Anything but exactly one complete series is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.arrays import Float32Array, FloatArray
from core.errors import PrognoscopeError
from core.media.volumes import Volume, check_size, checked

_WHERE = "a DICOM folder"
_NEEDED = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")
GAP_TOLERANCE = 0.05
"""Two neighbouring slices may lie this share of the usual distance off: more means that a slice is missing."""


def read_series(folder: Path) -> Volume:
    """Read the one series of a folder, sorted by ImagePositionPatient along the slices' normal.

    Raises
    ------
    PrognoscopeError
        For an empty folder, several series, slices of different geometry, two slices at one place, a missing slice,
        colour or multi-frame images.
    """
    slices = _slices(folder)
    _refuse_mixed(slices)
    check_size((int(slices[0].Columns), int(slices[0].Rows), len(slices)), _WHERE)
    orientation = np.array(slices[0].ImageOrientationPatient, dtype=float)
    along_row, along_column = orientation[:3], orientation[3:]
    normal = np.cross(along_row, along_column)
    positions = np.array([[float(v) for v in s.ImagePositionPatient] for s in slices])
    order = np.argsort(positions @ normal, kind="stable")
    slices, positions = [slices[i] for i in order], positions[order]
    step, warnings = _step(slices, positions, normal)
    rows_mm, columns_mm = (float(v) for v in slices[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0] = along_row * columns_mm  # the row direction runs over the columns
    affine[:3, 1] = along_column * rows_mm
    affine[:3, 2] = step
    affine[:3, 3] = positions[0]
    affine[:2] *= -1  # DICOM is LPS+, NIfTI RAS+
    array = np.stack([_pixels(s).T for s in slices], axis=2)
    return checked(Volume(array, affine, str(slices[0].get("Modality", "")), warnings), _WHERE)


def _slices(folder: Path) -> list[Any]:
    import pydicom
    from pydicom.errors import InvalidDicomError

    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        try:
            _refuse_packed(path)
            header = pydicom.dcmread(path)
        except InvalidDicomError:
            continue  # a note or a DICOMDIR beside the slices
        except (OSError, ValueError, EOFError, KeyError, AttributeError, RecursionError) as error:
            raise PrognoscopeError("a damaged DICOM file", _WHERE, "export the series again") from error
        if "PixelData" in header:
            found.append(header)
    if not found:
        raise PrognoscopeError("no DICOM image", _WHERE, "name the folder that holds the slices of one series")
    return found


def _refuse_packed(path: Path) -> None:
    """Refuse a file that is packed as a whole: it would be unpacked in memory, whatever comes out."""
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        raise PrognoscopeError("a DICOM file that is packed as a whole", _WHERE, "export the series unpacked")


def _refuse_mixed(slices: list[Any]) -> None:
    series = {str(s.get("SeriesInstanceUID", "")) for s in slices}
    if len(series) > 1:
        raise PrognoscopeError(f"{len(series)} different series", _WHERE, "keep one series in a folder")
    if any(int(s.get("NumberOfFrames", 1)) > 1 or int(s.get("SamplesPerPixel", 1)) > 1 for s in slices):
        raise PrognoscopeError("multi-frame or colour images", _WHERE, "export it as single grey slices, or as NIfTI")
    lacking = sorted({name for s in slices for name in _NEEDED if s.get(name) is None})
    if lacking:
        raise PrognoscopeError(f"slices without {', '.join(lacking)}", _WHERE, "export the series again")
    first = slices[0]
    for name in ("ImageOrientationPatient", "PixelSpacing"):
        values = np.array([[float(v) for v in s.get(name)] for s in slices])
        if np.abs(values - values[0]).max() > 1e-3:
            raise PrognoscopeError(f"slices that differ in {name}", _WHERE, "keep one series in a folder")
    if any((s.Rows, s.Columns) != (first.Rows, first.Columns) for s in slices):
        raise PrognoscopeError("slices of different sizes", _WHERE, "keep one series in a folder")


def _step(slices: list[Any], positions: FloatArray, normal: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
    """mm from one slice to the next, as a vector; slices at unequal distances are refused."""
    if len(slices) == 1:
        thickness = float(slices[0].get("SpacingBetweenSlices") or slices[0].get("SliceThickness") or 0)
        return normal * thickness, ("a series of one slice",)
    places = positions @ normal
    gaps = np.diff(places)
    usual = float(np.median(gaps))
    if usual <= 1e-3 or gaps.min() <= 1e-3:
        raise PrognoscopeError(
            "several images at one position", _WHERE, "keep one phase or time point of one series in a folder"
        )
    if np.abs(gaps - usual).max() > GAP_TOLERANCE * usual:
        raise PrognoscopeError("slices at unequal distances (one may be missing)", _WHERE, "export the whole series")
    return (positions[-1] - positions[0]) / (len(slices) - 1), ()


def _pixels(header: Any) -> Float32Array:
    """(rows, columns) float32 with this slice's own rescale slope and intercept."""
    try:
        stored = header.pixel_array
    except (AttributeError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        raise PrognoscopeError(
            "pixels that cannot be decoded", _WHERE, "export the series uncompressed, or as NIfTI"
        ) from error
    slope, intercept = float(header.get("RescaleSlope") or 1), float(header.get("RescaleIntercept") or 0)
    return np.asarray(stored * np.float32(slope) + np.float32(intercept), dtype=np.float32)
