"""Files of a few bytes that declare, or unpack to, more than any memory holds: refused before memory is asked for."""

from __future__ import annotations

import gzip
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless

from core.cohort.importers import archive, reading
from core.cohort.importers.archive import unpack_archive
from core.cohort.importers.feature_files import Finding, look_at
from core.cohort.importers.reading import open_lines
from core.errors import PrognoscopeError
from core.media.slides import open_slide
from core.media.volumes import read_volume

ROOM = 3 << 30


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """At most 3 GiB more address space than now: whoever asks for a bomb's size fails, and fails the test."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def refused(read: Callable[[], object], words: str) -> None:
    with pytest.raises(PrognoscopeError, match=words) as caught:
        read()
    assert "/" not in caught.value.where


def nifti(shape: tuple[int, int, int], offset: float = 352.0, body: bytes = b"") -> bytes:
    """A NIfTI-1 file with a header of 348 bytes that claims ``shape`` and ``offset``."""
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *(min(n, 32767) for n in shape), 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 16, 32)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", head, 108, offset)
    struct.pack_into("<2h", head, 252, 0, 1)
    struct.pack_into("<12f", head, 280, *np.eye(4)[:3].ravel())
    head[344:348] = b"n+1\0"
    return bytes(head) + bytes(4) + body


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_scan_that_declares_terabytes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scan{ending}"
    content = nifti((32767, 32767, 32767), body=bytes(1000))
    path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    refused(lambda: read_volume(path), "32,767 × 32,767 × 32,767 voxels")


def test_a_scan_whose_voxels_lie_behind_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(nifti((8, 8, 8), offset=4e9, body=bytes(64 << 20))))
    refused(lambda: read_volume(path), "do not follow its header")


def test_a_scan_with_more_behind_it_than_it_declares_is_read_as_declared(tmp_path: Path) -> None:
    path = tmp_path / "scan.nii.gz"
    packer = zlib.compressobj(9, wbits=31)
    with path.open("wb") as file:  # what is behind is never unpacked
        file.write(packer.compress(nifti((8, 8, 8))))
        block = bytes(64 << 20)
        for _ in range(4):
            file.write(packer.compress(block))
        file.write(packer.flush())
    assert read_volume(path).array.shape == (8, 8, 8)


def dicom(path: Path, rows: int, syntax: str, pixels: bytes) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = syntax, "1.2", "1.2.3"
    data = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    data.Rows = data.Columns = rows
    data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness, data.SeriesInstanceUID = [1, 1], 1, "1.2.4"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    if syntax == RLELossless:
        data.PixelData = pydicom.encaps.encapsulate([pixels])
        data["PixelData"].VR = "OB"
        data["PixelData"].is_undefined_length = True
    else:
        data.PixelData = pixels
        data["PixelData"].VR = "OW"
    data.save_as(path, enforce_file_format=True)


def test_a_dicom_slice_that_declares_gigabytes(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", 65_000, RLELossless, bytes(128))
    refused(lambda: read_volume(tmp_path), "65,000 × 65,000 × 1 voxels")


def test_a_dicom_file_packed_as_a_whole(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", 4096, DeflatedExplicitVRLittleEndian, bytes(2 * 4096 * 4096))
    assert (tmp_path / "a.dcm").stat().st_size < 100_000
    refused(lambda: read_volume(tmp_path), "packed as a whole")


def test_a_dicom_sequence_a_thousand_deep(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", 16, ExplicitVRLittleEndian, bytes(512))
    deep = b"".join([b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"] * 3000)
    (tmp_path / "a.dcm").write_bytes((tmp_path / "a.dcm").read_bytes() + deep)
    try:
        read_volume(tmp_path)
    except PrognoscopeError as error:
        assert "DICOM" in str(error)  # noqa: PT017  read or refused, either is right; a trace is not


def test_a_slide_without_small_levels_that_declares_gigapixels(tmp_path: Path) -> None:
    side, tile = 60_000, 4096
    packed = zlib.compress(bytes(3 * tile * tile), 9)
    with tifffile.TiffWriter(tmp_path / "s.tif", bigtiff=True) as file:
        file.write(iter([packed] * (-(-side // tile)) ** 2), shape=(side, side, 3), dtype=np.uint8, tile=(tile, tile),
                   photometric="rgb", compression="adobe_deflate")  # fmt: skip
    assert (tmp_path / "s.tif").stat().st_size < 20 << 20
    refused(lambda: open_slide(tmp_path / "s.tif"), "60,000 × 60,000 pixels")


def test_a_picture_that_declares_more_than_it_holds(tmp_path: Path) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(png + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    refused(lambda: open_slide(tmp_path / "a.png"), "100 million pixels|cannot be read")


def test_features_that_declare_more_than_they_hold(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        n = 2_000_000_000
        file.create_dataset("features", (n, 1024), np.float32, chunks=(1024, 1024), compression="gzip")
        file.create_dataset("coords", (n, 2), np.int64, chunks=(1024, 2), compression="gzip")
    assert look_at(tmp_path / "a.h5") is Finding.UNUSABLE
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/data.pkl", b"\x80\x02}q\x00.")
        packed.writestr("a/data/0", bytes(64 << 20))
    assert look_at(tmp_path / "a.pt") is Finding.UNUSABLE


def test_archives_of_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("study/patients.csv", "id,time,event\na,1,1\n")
        with packed.open("study/a/slides/zeros.svs", "w", force_zip64=True) as member:
            for _ in range(2):
                member.write(bytes(64 << 20))
    monkeypatch.setattr(archive, "ALWAYS_BYTES", 1 << 20)
    refused(lambda: unpack_archive(path, tmp_path / "out"), "100 times its size")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(archive, "ALWAYS_BYTES", 2 << 30)
    monkeypatch.setattr(archive, "LEFT_FREE", 1 << 60)
    refused(lambda: unpack_archive(path, tmp_path / "out"), "more than the disk has room for")
    table = tmp_path / "t.csv.gz"
    table.write_bytes(gzip.compress(b"id,time,event\n" + b"a,1,1\n" * 500_000))
    monkeypatch.setattr(reading, "ALWAYS_BYTES", 1 << 20)
    monkeypatch.setattr(reading, "MOST_TIMES", 50)

    def read() -> None:
        with open_lines(table) as lines:
            list(lines)

    refused(read, "an archive of more than")
