"""Scans: voxels, millimetres and slice order, against files made by other libraries and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from core.errors import PrognoscopeError
from core.media.volumes import Volume, mask_on, read_volume

SERIES = generate_uid()


def write_slice(path: Path, pixels: np.ndarray, position: tuple[float, float, float], **changes: Any) -> None:
    """One CT slice of int16 pixels."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.Modality, data.SeriesInstanceUID = "Secret^Name", "CT", SERIES
    data.ImagePositionPatient, data.ImageOrientationPatient = list(position), [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness = [2.0, 3.0], 5.0
    data.RescaleSlope, data.RescaleIntercept = 2, -1000
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 1
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.PixelData = pixels.astype(np.int16).tobytes()
    for name, value in changes.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)


@pytest.fixture
def series(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """Four slices of 3 rows × 4 columns, 5 mm apart, named against their order."""
    pixels = np.arange(48).reshape(4, 3, 4)
    folder = tmp_path / "series"
    folder.mkdir()
    for i in range(4):
        write_slice(folder / f"{9 - i}.dcm", pixels[i], (10.0, 20.0, 30.0 + 5 * i))
    (folder / "notes.txt").write_text("beside the slices")
    return folder, pixels


def test_dicom_slices_in_space_and_units(series: tuple[Path, np.ndarray]) -> None:
    folder, pixels = series
    volume = read_volume(folder)
    assert volume.array.shape == (4, 3, 4)  # columns, rows, slices
    assert np.array_equal(volume.array, pixels.transpose(2, 1, 0) * 2.0 - 1000)
    assert volume.spacing == pytest.approx((3.0, 2.0, 5.0))  # columns are PixelSpacing's second number
    assert volume.scanner == "CT"
    # DICOM's (x, y) are to the left and back, RAS to the right and front
    assert volume.affine @ [2, 1, 3, 1] == pytest.approx([-(10 + 2 * 3), -(20 + 1 * 2), 30 + 3 * 5, 1])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"SeriesInstanceUID": "1.2.3"}, "2 different series"),
        ({"ImagePositionPatient": [10.0, 20.0, 30.0]}, "several images at one position"),
        ({"ImagePositionPatient": [10.0, 20.0, 49.0]}, "unequal distances"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "ImageOrientationPatient"),
        ({"PixelSpacing": [1.0, 1.0]}, "PixelSpacing"),
        ({"PixelData": b"\0\0"}, "cannot be decoded"),
        ({"ImagePositionPatient": None}, "without ImagePositionPatient"),
    ],
)
def test_anything_but_one_whole_series_is_refused(
    series: tuple[Path, np.ndarray], change: dict[str, Any], found: str
) -> None:
    folder, pixels = series
    write_slice(folder / "6.dcm", pixels[3], (10.0, 20.0, 45.0), **change)
    with pytest.raises(PrognoscopeError, match=found) as caught:
        read_volume(folder)
    assert "series/" not in str(caught.value)
    assert "Secret" not in str(caught.value)


def test_a_missing_slice_is_noticed(series: tuple[Path, np.ndarray]) -> None:
    (series[0] / "8.dcm").unlink()
    with pytest.raises(PrognoscopeError, match="unequal distances"):
        read_volume(series[0])


def test_real_dicom_series_equals_its_slices(shared_data: Path) -> None:
    folder = shared_data / "mri" / "dcmqi_liver_ct"
    volume = read_volume(folder)
    slices = sorted((pydicom.dcmread(p) for p in folder.glob("*.dcm")), key=lambda s: s.ImagePositionPatient[2])
    assert volume.spacing == pytest.approx((0.810547, 0.810547, 1.0), abs=1e-6)
    for i, one in enumerate(slices):
        assert np.array_equal(volume.array[..., i], one.pixel_array.T.astype(np.float32) - 1024)
    assert volume.affine[:3, 3] == pytest.approx([235.2, 226.8, -128.69], abs=1e-4)


def test_nifti_values_and_place(tmp_path: Path) -> None:
    affine = np.array([[-2.0, 0, 0, 30], [0, 0, 3.0, -20], [0, 4.0, 0, 10], [0, 0, 0, 1]])
    stored = np.arange(24, dtype=np.float32).reshape(2, 3, 4, 1)
    nibabel.save(nibabel.Nifti1Image(stored, affine), tmp_path / "scan.nii.gz")
    volume = read_volume(tmp_path / "scan.nii.gz")
    assert np.array_equal(volume.array, stored[..., 0])
    assert volume.spacing == pytest.approx((2, 4, 3))
    assert volume.voxel_ml == pytest.approx(0.024)
    assert np.allclose(volume.affine, affine)


def test_real_liver_has_the_volume_of_its_voxels(shared_data: Path) -> None:
    scan = read_volume(shared_data / "mri" / "ts_example_ct_sm.nii.gz")
    labels = read_volume(shared_data / "mri" / "ts_example_seg.nii.gz")
    liver = mask_on(labels, scan, value=5)
    raw = np.asarray(nibabel.load(shared_data / "mri" / "ts_example_seg.nii.gz").dataobj)
    assert liver.sum() * scan.voxel_ml == pytest.approx((raw == 5).sum() * 27 / 1000, rel=1e-5)
    assert 20 < np.median(scan.array[liver]) < 160  # Hounsfield units of a liver


def test_unusable_files_are_named_without_their_path(tmp_path: Path) -> None:
    (tmp_path / "TCGA-1.nii.gz").write_bytes(b"no gzip")
    nibabel.save(nibabel.Nifti1Image(np.zeros((40, 40, 40), np.float32), np.eye(4)), tmp_path / "whole.nii.gz")
    whole = (tmp_path / "whole.nii.gz").read_bytes()
    (tmp_path / "TCGA-2.nii.gz").write_bytes(whole[: len(whole) // 2])
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 3), np.float32), np.eye(4)), tmp_path / "TCGA-3.nii.gz")
    (tmp_path / "TCGA-4").mkdir()
    (tmp_path / "TCGA-5.mha").write_bytes(b"")
    for name in ("TCGA-1.nii.gz", "TCGA-2.nii.gz", "TCGA-3.nii.gz", "TCGA-4", "TCGA-5.mha", "TCGA-6.nii"):
        with pytest.raises(PrognoscopeError) as caught:
            read_volume(tmp_path / name)
        assert "TCGA" not in str(caught.value)


def test_a_mask_on_another_grid_lands_at_the_same_millimetres() -> None:
    coarse = np.zeros((10, 10, 10), np.float32)
    coarse[3:6, 4:8, 2:5] = 1
    mask = Volume(coarse, np.diag([4.0, 4, 4, 1]))
    fine_affine = np.diag([-2.0, 2, 2, 1])
    fine_affine[:3, 3] = [37, -1, -1]
    grid = Volume(np.zeros((20, 20, 20), np.float32), fine_affine)
    found = mask_on(mask, grid)
    assert found.sum() * grid.voxel_ml == pytest.approx(coarse.sum() * mask.voxel_ml)
    centre = fine_affine @ [*np.argwhere(found).mean(axis=0), 1]
    assert centre[:3] == pytest.approx([4 * 4, 5.5 * 4, 3 * 4], abs=0.01)
