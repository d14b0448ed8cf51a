"""Scans leave only for the browser they were opened in, as NIfTI that tells nothing but the voxels."""

from __future__ import annotations

import gzip
import io
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.media.scan_slices import Plane
from core.media.volumes import read_volume
from core.results.scan_maps import ScanLayer, ScanMaps, save_scan_maps
from core.results.workspace import Workspace
from core.serving.tokens import MAX_AGE_SECONDS, sign
from core.serving.visitor import COOKIE, VisitorCookie
from core.serving.volumes import map_path, routes, scan_path, scans_resource, scans_token, slice_path

PATIENT = "P-0007"
SECRET = b"Jane Doe 1951"
DICOM = Path("/work/shared/data/mri/dcmqi_liver_ct")


def told_nifti(path: Path, array: np.ndarray, affine: np.ndarray) -> None:
    """A file with a name in every place of the header that can hold one, and in an extension."""
    image = nibabel.Nifti1Image(array, affine)
    image.header["descrip"] = SECRET
    image.header["aux_file"] = SECRET
    image.header["intent_name"] = SECRET
    image.header["db_name"] = SECRET
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", SECRET))
    nibabel.save(image, path)


@pytest.fixture
def files(tmp_path: Path, workspace: Workspace) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    affine = np.array([[-2.0, 0.1, 0, 30], [0, 2.5, 0.2, -20], [0, 0, 4.0, 7], [0, 0, 0, 1]])
    scan = rng.normal(100, 30, (12, 10, 8)).astype(np.float32)
    mask = (rng.random((12, 10, 8)) > 0.7).astype(np.uint8) * 3
    told_nifti(tmp_path / "a.nii.gz", scan, affine)
    told_nifti(tmp_path / "m.nii.gz", mask, affine)
    volumes = Modality.VOLUMES
    save_media(
        "study",
        MediaIndex((
            MediaFile(PATIENT, volumes, MediaKind.VOLUME, str(tmp_path / "a.nii.gz"), "arterial"),
            MediaFile(PATIENT, volumes, MediaKind.MASK, str(tmp_path / "m.nii.gz"), "liver"),
            MediaFile(PATIENT, volumes, MediaKind.VOLUME, str(tmp_path / "gone.nii.gz"), "delayed"),
            MediaFile("P-0008", volumes, MediaKind.VOLUME, str(tmp_path / "a.nii.gz"), "arterial"),
            *([MediaFile(PATIENT, volumes, MediaKind.VOLUME, str(DICOM), "ct")] if DICOM.is_dir() else ()),
        )),
        workspace,
    )  # fmt: skip
    layer = ScanLayer("all", "arterial", "Attribution", "pp", True, scan - 100, affine)
    maps = ScanMaps("hdmoe-1", PATIENT, 36.0, 1, "m", "e", (layer,), True, "test", 1.0)
    save_scan_maps(maps, workspace)
    return {"scan": scan, "mask": mask, "affine": affine}


@pytest.fixture
def client(files: dict[str, np.ndarray]) -> TestClient:
    client = TestClient(Starlette(routes=routes(), middleware=[Middleware(VisitorCookie)]))
    client.get("/")
    return client


def opened(content: bytes) -> nibabel.Nifti1Image:
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(content))


def mine(client: TestClient, path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}t={scans_token('study', PATIENT, client.cookies[COOKIE])}"


def test_the_header_is_a_new_one_and_voxels_and_place_are_kept(
    client: TestClient, files: dict[str, np.ndarray]
) -> None:
    answer = client.get(mine(client, scan_path("study", PATIENT, 0)))
    image = opened(answer.content)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert SECRET not in gzip.decompress(answer.content)
    assert len(image.header.extensions) == 0
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), files["scan"])
    np.testing.assert_allclose(image.affine, files["affine"], atol=1e-5)
    # the compressed stream itself names no file and no time
    assert answer.content[3] == 0
    assert answer.content[4:8] == bytes(4)


def test_masks_and_attribution_lie_on_the_same_grid(client: TestClient, files: dict[str, np.ndarray]) -> None:
    mask = opened(client.get(mine(client, scan_path("study", PATIENT, 1))).content)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), files["mask"] > 0)
    found = opened(client.get(mine(client, map_path("study", PATIENT, "hdmoe-1", 0))).content)
    np.testing.assert_array_equal(found.get_fdata(dtype=np.float32), files["scan"] - 100)
    np.testing.assert_allclose(found.affine, files["affine"], atol=1e-5)
    assert SECRET not in gzip.decompress(client.get(mine(client, scan_path("study", PATIENT, 1))).content)


@pytest.mark.parametrize("kind", ["none", "rubbish", "other user", "other patient", "expired"])
@pytest.mark.parametrize("what", ["scan", "map", "slice"])
def test_nobody_else_gets_anything(client: TestClient, kind: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = {
        "scan": scan_path("study", PATIENT, 0),
        "map": map_path("study", PATIENT, "hdmoe-1", 0),
        "slice": slice_path("study", PATIENT, 0, Plane.AXIAL),
    }[what]
    me = client.cookies[COOKIE]
    token = {
        "none": "", "rubbish": "x.y.z", "other user": scans_token("study", PATIENT, "f" * 32),
        "other patient": scans_token("study", "P-0008", me), "expired": scans_token("study", PATIENT, me),
    }[kind]  # fmt: skip
    if kind == "expired":
        assert client.get(f"{path}?t={token}").status_code == 200
        later = time.time() + MAX_AGE_SECONDS + 2
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    answer = client.get(f"{path}?t={token}")
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("application/json")


def test_addresses_hold_neither_pseudonym_nor_path(client: TestClient, files: dict[str, np.ndarray]) -> None:
    address = mine(client, scan_path("study", PATIENT, 0))
    assert PATIENT not in address
    assert "a.nii" not in address
    made_up = "0" * 24
    token = sign(client.cookies[COOKIE], scans_resource("study", made_up))
    assert client.get(f"/scan/study/{made_up}/0.nii.gz?t={token}").status_code == 404
    assert client.get(mine(client, scan_path("study", PATIENT, 99))).status_code == 404
    missing = client.get(mine(client, scan_path("study", PATIENT, 2)))
    assert missing.status_code == 404
    assert "missing" in missing.json()["error"]
    assert str(Path.home()) not in missing.text
    assert "gone" not in missing.text


def test_a_slice_is_a_picture_with_or_without_overlays(client: TestClient) -> None:
    plain = slice_path("study", PATIENT, 0, Plane.CORONAL, at="0", low="40", high="160")
    answer = client.get(mine(client, plain))
    with_map = client.get(mine(client, plain + "&outlines=1&run=hdmoe-1&layer=0&limit=30"))
    assert (answer.status_code, with_map.status_code) == (200, 200)
    grey, coloured = (np.asarray(Image.open(io.BytesIO(a.content)).convert("RGB")) for a in (answer, with_map))
    assert grey.shape == coloured.shape
    assert np.ptp(grey.astype(int), axis=2).max() == 0
    assert np.ptp(coloured.astype(int), axis=2).max() > 50
    assert client.get(mine(client, plain.replace("at=0", "at=nan"))).status_code == 404
    assert client.get(mine(client, plain.replace("coronal", "oblique"))).status_code == 404


@pytest.mark.realdata
@pytest.mark.skipif(not DICOM.is_dir(), reason="needs the DICOM series")
def test_a_dicom_series_leaves_as_nifti_without_its_tags(client: TestClient) -> None:
    content = gzip.decompress(client.get(mine(client, scan_path("study", PATIENT, 3))).content)
    image, volume = nibabel.Nifti1Image.from_bytes(content), read_volume(DICOM)
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), volume.array)
    np.testing.assert_allclose(image.affine, volume.affine, atol=1e-4)
    for told in (b"JANCT000", b"99000", b"20030417", b"GE MEDICAL", b"03086212"):
        assert told not in content
