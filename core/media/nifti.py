"""A volume as a NIfTI file that says where its voxels lie and nothing else."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray
from core.media.volumes import Volume

_FASTEST = 1
_SCANNER_SPACE = "scanner"


def nifti_bytes(volume: Volume) -> bytes:
    """The volume as a gzipped NIfTI-1 file (``.nii.gz``) with a header of its own.

    Nothing of the source's header is copied: no description, no auxiliary file, no names, no extensions. Whole
    numbers that fit are kept as int16, everything else as float32, unscaled: the values are those of ``volume``. The
    gzip stream has no file name and no time, so that equal volumes are equal bytes.
    """
    return nifti_of(_compact(volume.array), volume.affine)


def nifti_of(array: NDArray[Any], affine: FloatArray) -> bytes:
    """(x, y, z) values and voxel → mm (RAS+) as the same kind of file; bool becomes uint8."""
    import nibabel

    values = array.astype(np.uint8) if array.dtype == np.bool_ else array
    header: Any = nibabel.Nifti1Header()  # type: ignore[no-untyped-call]
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape)
    header.set_zooms(np.linalg.norm(affine[:3, :3], axis=0))
    header.set_sform(affine, _SCANNER_SPACE)
    header.set_xyzt_units("mm", "sec")
    image: Any = nibabel.Nifti1Image(values, affine, header)  # type: ignore[no-untyped-call]
    return gzip.compress(image.to_bytes(), _FASTEST, mtime=0)


def _compact(array: NDArray[np.float32]) -> NDArray[Any]:
    limits = np.iinfo(np.int16)
    if array.min() < limits.min or array.max() > limits.max:
        return array
    whole = array.astype(np.int16)
    return whole if np.array_equal(whole, array) else array
