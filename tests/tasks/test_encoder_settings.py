"""The encoder of a cohort and its settings: by command line and by job, cached by what they decide, resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.cli.__main__ import main
from core.errors import PrognoscopeError
from core.jobs.arguments import check_arguments
from core.jobs.task import JobContext
from core.results.feature_records import load_record
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.jobs import TASKS
from tests.features.test_slide_vision import save_model
from tests.tasks.media_cohort import SLIDES, make_media_cohort

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "vit", "vit")


def encoded(workspace: Workspace) -> Any:
    return load_record("study", workspace).modalities["slides"]


def test_command_line_chooses_encoder_and_settings(
    workspace: Workspace, tmp_path: Path, vit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_media_cohort(workspace, tmp_path, slides=2, volumes=1)
    monkeypatch.setenv("PROGNOSCOPE_CALLER_DIR", str(vit.parent))  # a folder as the user wrote it
    words = ["encode", "study", "--processes", "1", "--encoder", "slides=transformers-vision"]
    given = ["--encoder-set", "source=vit", "--encoder-set", "patch=32", "--encoder-set", "device=cpu"]
    assert main([*words, *given]) == 0
    record = encoded(workspace)
    assert (record.encoder, record.width, len(record.keys)) == ("transformers-vision", 16, 2)
    assert record.settings["source"] == str(vit)
    assert len(record.settings["digest"]) == 64
    assert "device" not in record.settings
    both = ["--encoder", "volumes=monai-small", "--encoder-set", "volumes.side=16"]
    assert main([*words, *both, "--encoder-set", "slides.source=vit", "--encoder-set", "slides.patch=32"]) == 0
    assert encoded(workspace).keys == record.keys
    assert load_record("study", workspace).modalities["volumes"].settings["side"] == 16
    short = ["encode", "study", "--processes", "1", "--encoder", f"slides={vit}", "--encoder-set", "patch=32"]
    assert main(short) == 0  # a folder in the encoder's place
    assert encoded(workspace).keys == record.keys
    assert main([*words, *both, "--encoder-set", "patch=32"]) == 1
    assert main([*words, "--encoder-set", "reports.words=3"]) == 1


@pytest.mark.parametrize("name", ["colour-texture-nuclei", "resnet-50"])
def test_a_missing_pixel_size_is_always_flagged(workspace: Workspace, tmp_path: Path, name: str) -> None:
    made = make_media_cohort(workspace, tmp_path, slides=2)
    with Image.open(made.index.of(made.cohort.ids[0])[0].path) as image:
        pixels = np.asarray(image)
    tifffile.imwrite(made.index.of(made.cohort.ids[0])[0].path, pixels, tile=(256, 256), photometric="rgb")
    model = save_model(tmp_path / "model", "resnet")
    settings = {"resnet-50": {"source": str(model), "patch": 64, "assumed_mpp": 0.25}}
    report = encode(EncodeRequest("study", (SLIDES,), {SLIDES: name}, settings, 1), workspace)
    assumed = "0.25" if name == "resnet-50" else "0.5"
    said = f"slides, 1 patient: pixel size assumed {assumed} µm/px: the slide file states none"
    assert said in report.warnings
    assert (made.cohort.ids[0], said.split(": ", 1)[1]) in encoded(workspace).warnings


def test_a_job_sets_the_encoder_too(workspace: Workspace, tmp_path: Path, vit: Path) -> None:
    make_media_cohort(workspace, tmp_path, slides=1)
    task = TASKS["encode"]
    settings = {"transformers-vision": {"source": str(vit), "patch": 32, "pooling": "mean"}}
    arguments = {"cohort": "study", "encoders": {"slides": "transformers-vision"}, "settings": settings, "processes": 1}
    check_arguments("encode", task.arguments, arguments)
    for wrong in ({"transformers-vision": "vit"}, {"transformers-vision": {"source": ["a"]}}, ["source"]):
        with pytest.raises(PrognoscopeError, match="argument 'settings' of another kind"):
            check_arguments("encode", task.arguments, {**arguments, "settings": wrong})
    task.run(arguments, workspace, JobContext(lambda share, text: None, tmp_path))
    assert encoded(workspace).settings["pooling"] == "mean"


def test_a_killed_encoding_with_a_model_goes_on_where_it_stopped(
    workspace: Workspace, tmp_path: Path, vit: Path
) -> None:
    """``kill -9`` while slides are read: what is finished stays, nothing half-written counts, one bad slide is said."""
    made = make_media_cohort(workspace, tmp_path, slides=8)
    Path(made.index.of(made.cohort.ids[3])[0].path).write_bytes(b"II*\0nothing")
    chosen = f"{{'transformers-vision': {{'source': {str(vit)!r}, 'patch': 16, 'batch': 4}}}}"
    script = (
        "from core.cohort.modality import Modality\nfrom core.results.workspace import Workspace\n"
        "from core.tasks.encode import EncodeRequest, encode\n"
        "encode(EncodeRequest('study', encoders={Modality.SLIDES: 'transformers-vision'},"
        f" settings={chosen}, processes=1), Workspace.default())"
    )
    child = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env={**os.environ})
    deadline = time.monotonic() + 60
    while len(list(workspace.features.glob("*.safetensors"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = len(list(workspace.features.glob("*.safetensors")))
    assert 2 <= done < 7
    settings = {"transformers-vision": {"source": str(vit), "patch": 16, "batch": 4}}
    request = EncodeRequest("study", (SLIDES,), {SLIDES: "transformers-vision"}, settings, 1)
    report = encode(request, workspace)
    assert (report.encoded["slides"], report.cached["slides"]) == (7 - done, done)
    assert [patient for patient, _, _ in report.skipped] == [made.cohort.ids[3]]
    assert encode(request, workspace).cached == {"slides": 7}
