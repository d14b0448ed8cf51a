"""Sessions: complete, private, written whole, read back equal; who may open a window, and what is said otherwise."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.__main__ import main
from core.desktop.make_session import make_session
from core.desktop.screen import elsewhere, launch, no_screen, open_command
from core.desktop.session import Looking, load_session, save_session, session_path
from core.errors import PrognoscopeError
from core.media.geojson import Area, write_geojson
from core.media.heat_scale import SEQUENTIAL
from core.results.workspace import Workspace
from tests.desktop.planted import SECRET, Planted, plant

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def planted(workspace: Workspace, tmp_path: Path) -> Planted:
    return plant(workspace, tmp_path / "files")


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def test_a_session_holds_what_the_patient_has_and_reads_back_equal(planted: Planted, workspace: Workspace) -> None:
    areas = {0: (Area.square(100, 200, 300, name="necrosis", colour=(9, 8, 7)),)}
    looking = Looking(0, 1500.5, 1100.0, 0.75, {"expert-1": 0.4})
    session = make_session(planted.run, planted.patient, workspace, looking, areas)
    assert [(s.number, s.mpp) for s in session.slides] == [(0, 0.5)]
    assert [(m.key, m.visible, m.opacity) for m in session.maps] == [
        ("attention", False, 0.75),
        ("expert-1", True, 0.4),
    ]
    assert [(s.name, s.mask) for s in session.scans] == [("t1", False), ("arterial", False), ("tumour", True)]
    assert session.scan_maps
    assert session.notes == ("relevance through expert 2: expert 2 is not used for this patient",)
    assert session.palette["sequential"] == SEQUENTIAL
    path = save_session(session, session_path(session, workspace))
    assert load_session(path) == session


def test_only_its_owner_reads_a_session_and_its_name_names_nobody(planted: Planted, workspace: Workspace) -> None:
    session = make_session(planted.run, planted.patient, workspace)
    path = save_session(session, session_path(session, workspace))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for secret in (planted.patient, SECRET):
        assert secret not in path.name + session.title
    assert "synthetic" in session.title
    assert session.maps[0].visible  # attention is what one sees first
    before = path.read_bytes()
    os.chmod(path.parent, 0o500)  # noqa: PTH101
    try:
        if os.geteuid():
            with pytest.raises(OSError, match="ermission"):
                save_session(session, path)
    finally:
        os.chmod(path.parent, 0o700)  # noqa: PTH101
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_what_is_missing_is_said(planted: Planted, workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PrognoscopeError, match="without slides and scans"):
        make_session(planted.run, planted.other, workspace)
    (tmp_path / "files" / SECRET / "a.tif").write_bytes(b"II*\0")
    session = make_session(planted.run, planted.patient, workspace)
    assert session.slides == ()
    assert "slide 1: a slide that cannot be read" in session.notes[0]
    broken = tmp_path / "broken.json"
    for content in ("{", "[]", "{}", json.dumps({"version": 99})):
        broken.write_text(content)
        with pytest.raises(PrognoscopeError, match="no session of this version"):
            load_session(broken)


def test_without_a_screen_the_command_line_explains_and_writes(
    planted: Planted, workspace: Workspace, tmp_path: Path, no_display: None, capsys: pytest.CaptureFixture[str]
) -> None:
    areas = tmp_path / "areas.geojson"
    areas.write_text(write_geojson([Area.square(10, 20, 30, name="here")]))
    words = ["napari", planted.run, planted.patient, "--at", "1000,900,0.5", "--annotations", str(areas)]
    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["opened"], answer["slides"], answer["scans"]) == (False, 1, 2)
    assert "DISPLAY is not set" in answer["reason"]
    stored = load_session(Path(answer["session"]))
    assert (stored.looking.x, stored.looking.zoom) == (1000.0, 0.5)
    assert stored.annotations[0][0].name == "here"
    assert main(["napari", "--session", answer["session"]]) == 0
    shown = capsys.readouterr().out
    assert open_command(Path(answer["session"])) in shown
    assert "xvfb-run" in shown
    assert SECRET not in shown
    patient = words[:3]
    far = [*patient, "--slide", "3", "--annotations", str(areas)]
    for wrong in (["napari"], words[:2], [*patient, "--slide", "2"], [*patient, "--at", "1,2"], far):
        assert main(wrong) == 1
    with pytest.raises(PrognoscopeError, match="DISPLAY"):
        launch(Path(answer["session"]), workspace)


def test_a_display_counts_only_when_it_answers(tmp_path: Path) -> None:
    assert "no screen answers at DISPLAY=:4711" in no_screen({"DISPLAY": ":4711"})
    assert no_screen({"WAYLAND_DISPLAY": "wayland-0"}) == ""
    assert no_screen({"DISPLAY": "other.host:0"}) == ""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X4712")
        server.listen()
        assert no_screen({"DISPLAY": ":4712.0"}) == ""


@pytest.mark.parametrize(
    ("address", "remote", "headers", "here"),
    [
        ("127.0.0.1", None, {"Host": "127.0.0.1:8501"}, True),
        ("localhost", None, {"Host": "localhost:8501"}, True),
        ("::1", None, {"Host": "[::1]:8501"}, True),
        ("0.0.0.0", None, {"Host": "localhost:8501"}, False),
        ("", None, {"Host": "localhost:8501"}, False),
        ("127.0.0.1", "10.1.2.3", {"Host": "localhost:8501"}, False),
        ("127.0.0.1", None, {"Host": "localhost:8501", "X-Forwarded-For": "10.1.2.3"}, False),
        ("127.0.0.1", None, {"Host": "localhost:8501", "Via": "1.1 gate"}, False),
        ("127.0.0.1", None, {"Host": "clinic.example.org"}, False),
        ("127.0.0.1", None, {}, False),
    ],
)
def test_only_a_browser_on_this_machine_may_open_a_window(
    address: str, remote: str | None, headers: dict[str, str], here: bool
) -> None:
    assert (elsewhere(address, remote, headers) == "") == here


def test_a_program_that_ends_without_a_window_is_told(
    planted: Planted, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(PrognoscopeError, match="ended without a window"):
        launch(workspace.root / "nothing.json", workspace)
    assert stat.S_IMODE((workspace.root / "desktop" / "nothing.log").stat().st_mode) == 0o600


def test_nothing_but_the_window_loads_napari() -> None:
    """napari takes seconds: neither the pages nor the command line wait for it."""
    code = (
        "import sys; import core.desktop.make_session, core.desktop.screen, core.desktop.slide_layers, "
        "core.desktop.scan_layers, core.desktop.window, core.cli.napari_command\n"
        "assert not {'napari', 'torch', 'qtpy', 'dask'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
