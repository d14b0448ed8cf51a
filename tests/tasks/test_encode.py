"""Encoding a cohort: cached by content, resumed after a kill, unreadable files skipped, nothing private in words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cli.__main__ import main
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.storage import delete_cohort, save_cohort
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.results.feature_records import load_record
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.encode_patients import PatientDone, PatientWork
from tests.tasks.media_cohort import (
    REPORTS,
    SECRET,
    SLIDES,
    VOLUMES,
    MediaCohort,
    make_media_cohort,
    write_features,
    write_slide,
)

ROOT = Path(__file__).resolve().parents[2]
ONE = {"processes": 1}


def stored(workspace: Workspace) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(workspace.features.glob("*.safetensors"))}


def test_every_modality_is_encoded_once_and_found_again(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, slides=2, volumes=3, reports=4)
    shares: list[float] = []
    report = encode(EncodeRequest("study", **ONE), workspace, lambda share, text: shares.append(share))
    assert report.encoded == {"slides": 2, "volumes": 3, "reports": 4}
    assert report.skipped == ()
    assert shares == sorted(shares)
    assert shares[-1] == 1
    again = encode(EncodeRequest("study", **ONE), workspace)
    assert sum(again.encoded.values()) == 0
    assert again.cached == {"slides": 2, "volumes": 3, "reports": 4}
    features = load_features("study", workspace)
    assert features.modalities == (SLIDES, VOLUMES, REPORTS)
    scan = features.read(made.cohort.ids[0], VOLUMES)
    assert scan is not None
    assert scan.labels == ("t1", "arterial")
    assert features.read(made.cohort.ids[3], VOLUMES) is None
    assert features.encoders((SLIDES,)) == {
        "slides": {
            "name": "colour-texture-nuclei",
            "version": 2,
            "settings": {"um_per_px": 1.0, "patch": 112, "assumed_mpp": 0.5},
            "width": 60,
        }
    }


def test_the_form_a_run_was_trained_on_stays_readable(workspace: Workspace, tmp_path: Path) -> None:
    make_media_cohort(workspace, tmp_path, reports=4)
    encode(EncodeRequest("study", (REPORTS,), **ONE), workspace)
    trained = load_features("study", workspace).encoders((REPORTS,))
    encode(EncodeRequest("study", (REPORTS,), {REPORTS: "report-parts"}, **ONE), workspace)
    now, then = load_features("study", workspace), load_features("study", workspace, trained)
    assert now.of(REPORTS).encoder == "report-parts"
    assert then.encoders((REPORTS,)) == trained
    patient = next(iter(then.of(REPORTS).keys))
    read = then.read(patient, REPORTS)
    assert read is not None
    assert read.features.shape[1] == trained["reports"]["width"]
    encode(EncodeRequest("study", (REPORTS,), **ONE), workspace)
    assert [e.encoder for e in load_record("study", workspace).earlier["reports"]] == ["report-parts"]


def test_the_key_is_the_content_not_the_name(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, reports=3)
    encode(EncodeRequest("study", **ONE), workspace)
    before = dict(load_record("study", workspace).modalities["reports"].keys)
    moved = []
    for number, file in enumerate(made.index.files):
        path = Path(file.path).rename(tmp_path / f"moved-{number}.txt")
        moved.append(replace(file, path=str(path)))
    save_media("study", MediaIndex(tuple(moved)), workspace)
    assert encode(EncodeRequest("study", **ONE), workspace).encoded == {"reports": 0}
    (tmp_path / "moved-0.txt").write_text("A hepatocellular carcinoma.")
    report = encode(EncodeRequest("study", **ONE), workspace)
    assert (report.encoded, report.cached) == ({"reports": 1}, {"reports": 2})
    after = load_record("study", workspace).modalities["reports"].keys
    assert [p for p in before if before[p] != after[p]] == [made.cohort.ids[0]]


def test_unreadable_files_are_reported_without_their_path_and_skipped(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, slides=3, volumes=2, reports=2)
    for name, content in (("1.tif", b"II*\0nothing"), ("0-t1.nii.gz", b"x"), ("0-arterial.nii.gz", b"y")):
        (tmp_path / SECRET / name).write_bytes(content)
    (tmp_path / SECRET / "1.txt").unlink()
    report = encode(EncodeRequest("study", **ONE), workspace)
    assert report.encoded == {"slides": 2, "volumes": 1, "reports": 1}
    assert {(p, m) for p, m, _ in report.skipped} == {
        (made.cohort.ids[1], "slides"),
        (made.cohort.ids[0], "volumes"),
        (made.cohort.ids[1], "reports"),
    }
    assert all(reason for _, _, reason in report.skipped)
    words = json.dumps(report.as_json()) + (workspace.features / "study.json").read_text()
    assert SECRET not in words
    assert str(tmp_path) not in words
    write_slide(tmp_path / SECRET / "1.tif", np.random.default_rng(9))  # once it is mended it is taken
    assert encode(EncodeRequest("study", (SLIDES,), **ONE), workspace).encoded == {"slides": 1}
    assert load_record("study", workspace).modalities["slides"].skipped == ()


def test_numbers_do_not_depend_on_the_number_of_processes(workspace: Workspace, tmp_path: Path) -> None:
    make_media_cohort(workspace, tmp_path, slides=2, volumes=2, reports=2)
    encode(EncodeRequest("study", **ONE), workspace)
    alone = stored(workspace)
    for path in workspace.features.glob("*.safetensors"):
        path.unlink()
    encode(EncodeRequest("study", processes=2), workspace)
    assert stored(workspace) == alone


def test_a_killed_encoding_goes_on_where_it_stopped(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, slides=12)
    script = (
        "from core.results.workspace import Workspace; from core.tasks.encode import EncodeRequest, encode\n"
        "encode(EncodeRequest('study', processes=1), Workspace.default())"
    )
    child = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env={**os.environ})
    deadline = time.monotonic() + 60
    while len(stored(workspace)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = len(stored(workspace))
    assert 2 <= done < 12
    report = encode(EncodeRequest("study", **ONE), workspace)
    assert (report.encoded["slides"], report.cached["slides"]) == (12 - done, done)
    assert set(load_record("study", workspace).modalities["slides"].keys) == set(made.cohort.ids[:12])


def test_damaged_features_are_never_read_as_good(workspace: Workspace, tmp_path: Path) -> None:
    make_media_cohort(workspace, tmp_path, reports=3)
    encode(EncodeRequest("study", **ONE), workspace)
    whole = stored(workspace)
    first, second, _ = sorted(workspace.features.glob("*.safetensors"))
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(bytes(content))
    second.write_bytes(second.read_bytes()[:40])
    features = load_features("study", workspace)
    for path in (first, second):
        with pytest.raises(PrognoscopeError, match=r"altered|unreadable"):
            features.store.read(path.stem)
    assert encode(EncodeRequest("study", **ONE), workspace).encoded == {"reports": 2}
    assert stored(workspace) == whole


def with_features(made: MediaCohort, workspace: Workspace, folder: Path, widths: list[int]) -> None:
    files = []
    for number, width in enumerate(widths):
        path = write_features(folder / f"{number}.h5", 5, width, number)
        files.append(MediaFile(made.cohort.ids[number], SLIDES, MediaKind.SLIDE_FEATURES, str(path)))
    save_media("study", MediaIndex(tuple(files)), workspace)


def test_imported_features_are_recognised_and_must_agree_in_width(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, slides=3)
    with_features(made, workspace, tmp_path, [8, 8, 8])
    report = encode(EncodeRequest("study", **ONE), workspace)
    assert report.encoders == {"slides": "imported"}
    assert load_record("study", workspace).modalities["slides"].width == 8
    with_features(made, workspace, tmp_path, [8, 8, 6])
    with pytest.raises(PrognoscopeError, match=r"different widths \(2 patients with 8, 1 patient with 6\)"):
        encode(EncodeRequest("study", **ONE), workspace)


def test_requests_that_cannot_be_met_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    make_media_cohort(workspace, tmp_path, reports=1)
    for request, found in (
        (EncodeRequest("study", (SLIDES,)), "no files of slides"),
        (EncodeRequest("study", encoders={REPORTS: "shape-intensity"}), "is for volumes"),
        (EncodeRequest("study", encoders={REPORTS: "bert"}), "no encoder named"),
        (EncodeRequest("other"), "no cohort named"),
    ):
        with pytest.raises(PrognoscopeError, match=found):
            encode(request, workspace)


def test_deleting_a_cohort_leaves_only_features_another_one_uses(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, reports=3)
    encode(EncodeRequest("study", **ONE), workspace)
    save_cohort(replace(made.cohort, name="other"), None, workspace)
    save_media("other", MediaIndex(made.index.files[:1]), workspace)
    assert encode(EncodeRequest("other", **ONE), workspace).cached == {"reports": 1}
    delete_cohort("study", workspace)
    assert len(stored(workspace)) == 1
    assert load_record("study", workspace).modalities == {}
    assert load_features("other", workspace).read(made.cohort.ids[0], Modality.REPORTS) is not None
    delete_cohort("other", workspace)
    assert not stored(workspace)


def test_command_line(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_media_cohort(workspace, tmp_path, volumes=1, reports=2)
    (tmp_path / SECRET / "1.txt").write_bytes(b"\0")
    words = ["encode", "study", "--modalities", "reports", "--processes", "1"]
    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["encoded"] == {"reports": 1}
    assert answer["skipped"][0]["reason"] == "a report that is no plain text"
    assert main(words) == 0
    shown = capsys.readouterr()
    assert "skipped: " in shown.out
    assert SECRET not in shown.out + shown.err
    chosen = ["--encoder", "volumes=monai-small", "--set", "side=16"]
    assert main(["encode", "study", *chosen, "--processes", "1"]) == 0
    assert load_record("study", workspace).modalities["volumes"].settings == {"seed": 0, "side": 16}
    assert main(["encode", "study", "--set", "side=16"]) == 1
    assert main(["encode", "study", "--encoder", "bert"]) == 1


def test_a_file_that_makes_its_reader_crash_costs_one_patient(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader can end its whole process; the pool is then broken for everybody, and the others go on one by one."""
    made = make_media_cohort(workspace, tmp_path, reports=5)
    broken = made.cohort.ids[2]

    def pooled(
        function: Callable[[Workspace, PatientWork], PatientDone],
        workspace: Workspace,
        items: dict[int, PatientWork],
        processes: int,
    ) -> Iterator[tuple[int, PatientDone]]:
        for number, item in items.items():
            if item.patient == broken:
                raise BrokenProcessPool
            yield number, function(workspace, item)

    monkeypatch.setattr("core.workers.pool._pooled", pooled)
    report = encode(EncodeRequest("study", processes=2), workspace)
    assert report.encoded == {"reports": 4}
    assert report.skipped == ((broken, "reports", "a file that makes its reader crash"),)
