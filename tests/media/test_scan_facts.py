"""What may be said of a scan: text in its pictures, a short list of tags, intervals instead of dates."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from core.media.burned_in import has_text_line, look_for_text
from core.media.scan_facts import facts_of, interval_words
from core.media.scan_names import scan_names
from core.media.scan_windows import in_hounsfield, windows_of
from core.media.volumes import Volume, read_volume

FONT = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def body(side: int = 256) -> np.ndarray:
    """A noisy body with ribs at its edge, air around it, in Hounsfield units."""
    rng = np.random.default_rng(0)
    y, x = (np.indices((side, side)) / (side - 1) - 0.5) * 2
    ring = np.hypot(x / 0.92, y / 0.8)
    image = np.where(ring < 1, 40.0, -1000.0)
    ribs = (np.abs(ring - 0.9) < 0.04) & (np.cos(12 * np.arctan2(y, x)) > 0.4)
    return (image + 900 * ribs + rng.normal(0, 12, image.shape)).astype(np.float32)


def with_text(image: np.ndarray, words: str, size: int, hard: bool, place: tuple[int, int] = (6, 6)) -> np.ndarray:
    picture = Image.new("1" if hard else "L", image.shape[::-1], 0)
    ImageDraw.Draw(picture).text(place, words, fill=1 if hard else 255, font=ImageFont.truetype(str(FONT), size))
    drawn = np.asarray(picture, dtype=np.float32)
    share = drawn / drawn.max()
    return (image * (1 - share) + image.max() * share).astype(np.float32)


@pytest.mark.parametrize("size", [10, 14, 20])
@pytest.mark.parametrize("hard", [True, False])
def test_a_name_near_the_edge_is_found(size: int, hard: bool) -> None:
    assert not has_text_line(body())
    assert has_text_line(with_text(body(), "DOE JANE 1951", size, hard))
    assert has_text_line(with_text(body(), "DOE JANE 1951", size, hard, (60, 256 - size - 6)))


def test_every_slice_looked_at_is_counted() -> None:
    clean = np.stack([body().T] * 12, axis=2)
    marked = np.stack([with_text(body(), "DOE JANE 1951", 14, True).T] * 12, axis=2)
    affine = np.eye(4)
    assert look_for_text(Volume(clean, affine)).warning == ""
    found = look_for_text(Volume(marked, affine))
    assert (found.suspect, found.slices) == (9, 9)
    assert "9 of 9 slices" in found.warning
    # turned by a quarter, as a NIfTI file may store it
    assert look_for_text(Volume(marked.transpose(1, 0, 2), affine)).suspect == 9
    assert "The file says" in look_for_text(Volume(clean, affine), "YES").warning


@pytest.mark.realdata
def test_real_scans_without_text_raise_no_alarm(shared_data: Path) -> None:
    for name in ("ts_example_ct_sm.nii.gz", "ts_example_mr_sm.nii.gz", "dcmqi_liver_ct"):
        volume = read_volume(shared_data / "mri" / name)
        assert not any(has_text_line(volume.array[:, :, k].T) for k in range(volume.array.shape[2])), name


@pytest.mark.realdata
def test_tags_are_those_of_the_list_and_names_nobody(shared_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "series"
    shutil.copytree(shared_data / "mri" / "dcmqi_liver_ct", folder)
    for path in folder.glob("*.dcm"):
        header = pydicom.dcmread(path)
        header.BodyPartExamined = "DOE JANE"
        header.BurnedInAnnotation = "YES"
        header.save_as(path)
    facts = facts_of(folder, read_volume(folder))
    rows = dict(facts.rows)
    assert rows["Modality"] == "CT"
    assert rows["Slice thickness"] == "1.25 mm"
    assert rows["Body part"] == "other"
    assert facts.burned_in.declared == "YES"
    told = " ".join(f"{k} {v}" for k, v in facts.rows)
    for secret in ("DOE", "JANCT000", "99000", "2003", "GE ", "LightSpeed", "Colonoscopy"):
        assert secret not in told


def test_times_are_intervals() -> None:
    first = datetime(2003, 4, 17, 10, 50, 28)
    later = {
        timedelta(0): "first scan",
        timedelta(seconds=34): "34 s after the first",
        timedelta(hours=5): "5 h after the first",
        timedelta(days=92): "92 days after",
    }
    for gap, words in later.items():
        assert interval_words(first + gap, first) == words
    assert interval_words(None, first) == "not said"


def test_windows_by_units() -> None:
    rng = np.random.default_rng(0)
    ct = Volume(np.stack([body(96)] * 8, axis=2), np.eye(4))
    assert in_hounsfield(ct)
    named = {w.name: (w.low, w.high) for w in windows_of(ct)}
    assert named["Liver"] == (-45, 105)
    assert named["Soft tissue"] == (-160, 240)
    assert named["Lung"] == (-1350, 150)
    assert named["Bone"] == (-500, 1300)
    assert not in_hounsfield(Volume(ct.array, ct.affine, "MR"))
    mr = Volume(rng.gamma(2, 60, (20, 20, 20)).astype(np.float32), np.eye(4))
    assert not in_hounsfield(mr)
    assert {w.name for w in windows_of(mr)} == {"Auto", "1–99 %", "5–95 %", "Full range"}
    assert {w.name: w.low for w in windows_of(mr)}["5–95 %"] == pytest.approx(np.percentile(mr.array, 5))
    flat = Volume(np.full((4, 4, 4), 7, dtype=np.float32), np.eye(4))
    assert all(w.high > w.low for w in windows_of(flat))


def test_scans_of_one_phase_are_numbered() -> None:
    assert scan_names(["t1", "arterial", "", "arterial", ""]) == ("t1", "arterial 1", "scan 1", "arterial 2", "scan 2")
