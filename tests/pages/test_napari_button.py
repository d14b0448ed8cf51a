"""The button's states: another machine, no screen, opened, failed; what it writes is the session of what is shown."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.desktop.session import load_session
from core.media.heat_scale import Shown
from core.results.workspace import Workspace
from tests.desktop.planted import SECRET, Planted, plant


@pytest.fixture
def planted(workspace: Workspace, tmp_path: Path) -> Planted:
    return plant(workspace, tmp_path / "files")


def script() -> None:
    """A page with the button alone, for the first patient; it runs in a process of words, so it imports all it uses."""
    from core.desktop.session import Looking
    from core.media.geojson import Area
    from core.media.heat_scale import Shown
    from pages.widgets.data import View
    from pages.widgets.napari_button import napari_button
    from pages.widgets.opening import show_page

    def body(view: View) -> None:
        areas = {0: (Area.square(1, 2, 30, name="here"),)}
        patient = view.state.patient or view.cohort.ids[0]
        napari_button(view, patient, Looking(0, 1000.0, 900.0, 0.5, {"expert-1": 0.4}), areas, Shown.RAW)

    show_page("Patient", body)


def opened(monkeypatch: pytest.MonkeyPatch, here: bool = True, **environment: str) -> AppTest:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if here:
        monkeypatch.setattr("pages.widgets.napari_button.not_here", lambda: "")
    return AppTest.from_function(script, default_timeout=30).run()


def words(test: AppTest) -> str:
    assert not test.exception
    text = " ".join(str(e.value) for e in test.get("html"))
    assert "Something went wrong" not in text
    return text


def test_a_browser_elsewhere_gets_the_reason_and_no_button(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    test = opened(monkeypatch, here=False)  # a test sends no address at all: never taken for this machine
    assert "on the machine that runs Prognoscope only" in words(test)
    assert not [b for b in test.button if b.label == "Open in napari"]


def test_without_a_screen_the_session_is_written_and_the_command_shown(
    planted: Planted, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = opened(monkeypatch)
    assert not (workspace.root / "desktop").exists()  # nothing is written before somebody asks
    test.button(key="napari_open").click().run()
    text = words(test)
    assert "DISPLAY is not set" in text
    assert "expert 2 is not used for this patient" in text
    (command,) = (c.value for c in test.code)
    assert [b.label for b in test.get("download_button")] == ["Download the session file"]
    path = Path(command.split("--session ")[1])
    session = load_session(path)
    assert session.patient == planted.patient
    assert [(m.key, m.visible, m.shown) for m in session.maps] == [
        ("attention", False, Shown.RAW),
        ("expert-1", True, Shown.RAW),
    ]
    assert (session.looking.x, session.looking.zoom) == (1000.0, 0.5)
    assert session.annotations[0][0].name == "here"
    assert planted.patient not in command + text
    assert SECRET not in command + text


def test_with_a_screen_napari_starts_apart_from_the_server(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, Any]]] = []
    real = subprocess.Popen

    def noted(command: list[str], **how: Any) -> Any:
        if "core.desktop" not in command:
            return real(command, **how)
        started.append((command, how))
        return real(["sh", "-c", "echo the windows are open; sleep 2"], **how)

    monkeypatch.setattr("core.desktop.screen.subprocess.Popen", noted)
    test = opened(monkeypatch, WAYLAND_DISPLAY="wayland-0")
    test.button(key="napari_open").click().run()
    assert "napari is open in a window of its own" in words(test)
    ((command, how),) = started
    assert command[1:3] == ["-m", "core.desktop"]
    assert load_session(Path(command[3])).patient == planted.patient
    assert how["start_new_session"]


def test_a_window_that_fails_at_once_is_said(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen
    monkeypatch.setattr(
        "core.desktop.screen.subprocess.Popen",
        lambda command, **how: real(["false"] if "core.desktop" in command else command, **how),
    )
    test = opened(monkeypatch, WAYLAND_DISPLAY="wayland-0")
    test.button(key="napari_open").click().run()
    assert "Napari ended without a window" in words(test)
    assert test.code  # the command to start it by hand
