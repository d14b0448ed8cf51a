"""Scans as arrays with a place in the patient: NIfTI files and folders that hold one DICOM series.

Coordinates are millimetres in the convention of NIfTI (RAS+): towards the patient's right, front and head.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, Float32Array, FloatArray
from core.errors import PrognoscopeError

NIFTI_ENDINGS = (".nii", ".nii.gz")
SAME_GRID_MM = 0.1
MOST_VOXELS = 500_000_000
"""Of one scan: 512 × 512 × 1 900, 2 GB in memory. A file of a few bytes can declare any size."""
_HEADER_BYTES, _MOST_HEADER = 544, 64 << 20
"""Bytes before the voxels; what a file claims there would be read, and unpacked, before its size is looked at."""


@dataclass(frozen=True, eq=False)
class Volume:
    """One scan.

    Parameters
    ----------
    array : (x, y, z) float32
        In the units of the scanner (Hounsfield units for CT), rescaled as the file says.
    affine : (4, 4) float64
        Voxel index → mm, RAS+.
    scanner : str
        ``"CT"``, ``"MR"`` … where the file tells, else empty.
    warnings : tuple of str
    """

    array: Float32Array
    affine: FloatArray
    scanner: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Length of a voxel's edges in mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000


def read_volume(path: str | Path) -> Volume:
    """Read a NIfTI file, or a folder with exactly one DICOM series.

    Raises
    ------
    PrognoscopeError
        For anything that is not one complete three-dimensional scan. The message holds no path.
    """
    place = Path(path)
    if place.is_dir():
        from core.media.dicom import read_series

        return read_series(place)
    if not place.name.lower().endswith(NIFTI_ENDINGS):
        raise PrognoscopeError("a volume of an unknown format", f"a {place.suffix} file", "use NIfTI or a DICOM folder")
    return _read_nifti(place)


def _read_nifti(path: Path) -> Volume:
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    where = "a NIfTI file"
    try:
        _check_header(path, where)
        image: Any = nibabel.load(path)
        check_size(image.shape, where)
        array = np.asarray(image.dataobj, dtype=np.float32)
        affine = np.asarray(image.affine, dtype=np.float64)
        placed = int(image.header["sform_code"]) > 0 or int(image.header["qform_code"]) > 0
    except FileNotFoundError as error:
        raise PrognoscopeError("a volume that is missing", where, "restore it, or import again") from error
    except (ImageFileError, OSError, EOFError, ValueError, KeyError, zlib.error, struct.error) as error:
        raise PrognoscopeError("a volume that cannot be read (damaged or cut off)", where, "export it again") from error
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    warnings = () if placed else ("the file does not say how the scan lies in the patient",)
    return checked(Volume(array, affine, "", warnings), where)


def check_size(shape: tuple[int, ...], where: str) -> None:
    """Refuse a declared size that no memory would hold, before memory is asked for."""
    if math.prod(int(n) for n in shape) > MOST_VOXELS or any(n < 0 for n in shape):
        size = " × ".join(f"{n:,}" for n in shape)
        raise PrognoscopeError(
            f"a volume of {size} voxels", where, f"give at most {MOST_VOXELS // 1_000_000} million voxels a scan"
        )


def _check_header(path: Path, where: str) -> None:
    """Refuse a NIfTI file that puts its voxels far behind its header: all between would be unpacked and held."""
    with path.open("rb") as file:
        head = (gzip.GzipFile(fileobj=file) if path.name.lower().endswith(".gz") else file).read(_HEADER_BYTES)
    order = next((o for o in "<>" if head[:4] in (struct.pack(f"{o}i", 348), struct.pack(f"{o}i", 540))), None)
    if order is None:
        return  # no NIfTI: the library says so
    second = struct.unpack(f"{order}i", head[:4])[0] == 540
    offset = struct.unpack_from(f"{order}q", head, 168)[0] if second else struct.unpack_from(f"{order}f", head, 108)[0]
    if not 0 <= offset <= _MOST_HEADER:
        raise PrognoscopeError("a volume whose voxels do not follow its header", where, "export it again")


def checked(volume: Volume, where: str) -> Volume:
    """``volume`` itself when it is a usable three-dimensional scan; values that are no numbers become 0, and said."""
    if volume.array.ndim != 3 or min(volume.array.shape) < 1:
        shape = " × ".join(str(n) for n in volume.array.shape)
        raise PrognoscopeError(f"a volume of shape {shape}", where, "give each phase as a three-dimensional file")
    if not np.isfinite(volume.affine).all() or volume.voxel_ml <= 0:
        raise PrognoscopeError("a volume without a voxel size", where, "export it again with its geometry")
    known = np.isfinite(volume.array)
    if known.all():
        return volume
    if not known.any():
        raise PrognoscopeError("a volume without a single number", where, "export it again")
    note = f"{(~known).mean():.2%} of the voxels are no numbers and were set to 0"
    return Volume(np.where(known, volume.array, np.float32(0)), volume.affine, volume.scanner, (*volume.warnings, note))


def mask_on(mask: Volume, grid: Volume, value: int | None = None) -> BoolArray:
    """``mask`` (> 0.5, or equal to ``value``) on the voxels of ``grid``: as it is, or the nearest voxel of it."""
    inside = mask.array > 0.5 if value is None else np.rint(mask.array) == value
    if mask.array.shape == grid.array.shape and np.abs(mask.affine - grid.affine).max() < SAME_GRID_MM:
        return np.asarray(inside)
    across = np.linalg.inv(mask.affine) @ grid.affine
    moved = ndimage.affine_transform(
        inside.astype(np.uint8), across[:3, :3], across[:3, 3], grid.array.shape, order=0, mode="constant"
    )
    return np.asarray(moved > 0)
