"""napari itself, on a screen in memory: what it draws is what the browser's picture says, where it says it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from core.cohort.media_index import load_media
from core.desktop.make_session import OPACITY, make_session
from core.desktop.session import Looking, save_session
from core.media.heat_raster import rasterise
from core.media.heat_scale import Over, Shown, layer_scale
from core.results.workspace import Workspace
from tests.desktop.planted import FIDUCIAL, HEIGHT, PLACES, SIDE, WIDTH, Planted, plant

ROOT = Path(__file__).resolve().parents[2]
SCREEN = ("xvfb-run", "-a", "-s", "-screen 0 1600x1000x24 +extension GLX")
VIEWS = {"far": (1501.5, 1100.5, 0.3), "near": (1500.0, 1100.0, 1.0), "close": (1500.0, 1100.0, 3.0)}
"""x, y of the middle in level-0 px, screen px a level-0 px."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Drawn:
    planted: Planted
    pictures: dict[str, np.ndarray]
    answer: dict[str, Any]
    workspace: Workspace


def on_a_screen(words: list[str], workspace: Workspace) -> str:
    """Run Python under Xvfb; its standard output."""
    environment = {
        **os.environ, "LIBGL_ALWAYS_SOFTWARE": "1", "QT_QPA_PLATFORM": "xcb",
        "PROGNOSCOPE_WORKSPACE": str(workspace.root), "XDG_CONFIG_HOME": str(workspace.root / "config"),
    }  # fmt: skip
    done = subprocess.run(
        [*SCREEN, sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """The slide at three zooms, and the command line's own pictures of slide and scan."""
    if shutil.which("xvfb-run") is None:
        pytest.skip("no Xvfb on this machine: apt-get install xvfb xauth (./run test does it as root)")
    folder = tmp_path_factory.mktemp("napari")
    workspace = Workspace(folder / "workspace")
    planted = plant(workspace, folder / "files")
    made = make_session(planted.run, planted.patient, workspace)
    for name, (x, y, zoom) in VIEWS.items():
        session = replace(made, scans=(), looking=Looking(0, x, y, zoom))
        save_session(session, folder / f"{name}.json")
    words = ["napari", planted.run, planted.patient, "--screenshot", str(folder / "cli.png"), "--json"]
    script = (  # one start of napari for all pictures
        "import sys; from pathlib import Path\n"
        "from core.cli.__main__ import main\n"
        "from core.desktop.session import load_session; from core.desktop.window import open_session\n"
        f"for f in sys.argv[1:]: open_session(load_session(Path(f)), Path(f).with_suffix('.png'))\n"
        f"sys.exit(main({words!r}))"
    )
    told = on_a_screen(["-c", script, *(str(folder / f"{name}.json") for name in VIEWS)], workspace)
    answer = json.loads(told.splitlines()[-1])
    names = (*VIEWS, "cli", "cli-scan")
    pictures = {name: np.asarray(Image.open(folder / f"{name}.png").convert("RGB")) for name in names}
    return Drawn(planted, pictures, answer, workspace)


def browser_picture(planted: Planted) -> np.ndarray:
    """(HEIGHT, WIDTH, 3): the slide under the picture of the attention layer that the browser is given."""
    layer = planted.maps.layer("attention")
    scale = layer_scale(planted.maps, layer, 0, Shown.PERCENTILE, Over.SLIDE)
    raster = rasterise(planted.maps.coordinates, float(SIDE), np.asarray(layer.values, float), (WIDTH, HEIGHT), scale)
    x, y, width, height = raster.rectangle
    over = np.asarray(Image.fromarray(raster.rgba).resize((width, height), Image.Resampling.NEAREST), dtype=float)
    whole = planted.image.astype(float)
    here = whole[y : y + height, x : x + width]
    alpha = OPACITY * over[: here.shape[0], : here.shape[1], 3:] / 255
    here[:] = here * (1 - alpha) + over[: here.shape[0], : here.shape[1], :3] * alpha
    return whole


def on_screen(level_zero: np.ndarray, view: tuple[float, float, float], picture: np.ndarray) -> np.ndarray:
    """Screen px (from the left and upper edge) of places in level-0 px (n, 2) x, y."""
    x, y, zoom = view
    rows, columns = picture.shape[:2]
    return (np.asarray(level_zero, float) - (x, y)) * zoom + (columns / 2, rows / 2)


@pytest.mark.parametrize("name", VIEWS)
def test_fiducials_lie_within_one_screen_pixel(drawn: Drawn, name: str) -> None:
    picture, view = drawn.pictures[name], VIEWS[name]
    rows, columns = picture.shape[:2]
    reach = FIDUCIAL * view[2] / 2
    seen = 0
    for place in PLACES:
        truth = on_screen(np.array([place + FIDUCIAL / 2]), view, picture)[0]
        margin = int(np.ceil(reach)) + 6
        left, top = np.round(truth).astype(int) - margin
        if left < 0 or top < 0 or left + 2 * margin > columns or top + 2 * margin > rows:
            continue
        window = picture[top : top + 2 * margin, left : left + 2 * margin].astype(float).sum(axis=2)
        around = np.median(window[[0, -1]])
        dark = np.clip(around - window, 0, None)  # parts of pixels count in part
        dark[dark < 0.2 * dark.max()] = 0
        found = np.array(ndimage.center_of_mass(dark))[::-1] + 0.5 + (left, top)
        assert np.abs(found - truth).max() <= 1.0, (name, place, found - truth)
        seen += 1
    assert seen >= {"far": 5, "near": 1, "close": 1}[name]


@pytest.mark.parametrize("name", VIEWS)
def test_colours_and_edges_are_those_of_the_browsers_map(drawn: Drawn, name: str) -> None:
    """Every screen pixel against the browser's picture at the level-0 pixel under it; only edges may differ, by one
    screen pixel."""
    picture, view = drawn.pictures[name].astype(np.float32), VIEWS[name]
    expected = browser_picture(drawn.planted).astype(np.float32)
    rows, columns = picture.shape[:2]
    x = (np.arange(columns) + 0.5 - columns / 2) / view[2] + view[0]
    y = (np.arange(rows) + 0.5 - rows / 2) / view[2] + view[1]
    inside = ((y >= 0) & (y < HEIGHT))[:, None] & ((x >= 0) & (x < WIDTH))[None, :]
    truth = expected[np.clip(y, 0, HEIGHT - 1).astype(int)[:, None], np.clip(x, 0, WIDTH - 1).astype(int)[None, :]]
    smallest = np.min([
        np.abs(np.roll(truth, shift, axis=(0, 1)) - picture).max(axis=2)
        for shift in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    ], axis=0)  # fmt: skip
    inside = ndimage.binary_erosion(inside, iterations=3)
    inside[-120:] = False  # the scale bar and the words at the foot
    assert inside.sum() > 100_000
    assert (smallest[inside] <= 8).mean() > 0.999
    flat = np.abs(truth - picture).max(axis=2)[inside]
    assert np.median(flat) <= 3
    assert (flat <= 8).mean() > 0.97


def test_command_line_draws_slide_and_scan(drawn: Drawn) -> None:
    assert drawn.answer["opened"]
    assert drawn.answer["maps"] == ["attention", "expert-1"]
    assert [Path(p).name for p in drawn.answer["pictures"]] == ["cli.png", "cli-scan.png"]
    scan = drawn.pictures["cli-scan"].astype(int)
    red, green, blue = scan[..., 0], scan[..., 1], scan[..., 2]
    raises = np.argwhere((blue > red + 60) & (blue > 80))
    lowers = np.argwhere((red > blue + 60) & (green < 0.75 * red))
    assert len(raises) > 200
    assert len(lowers) > 200
    assert lowers[:, 0].mean() < raises[:, 0].mean()  # planted in front: drawn above
    assert raises[:, 1].mean() < scan.shape[1] / 2  # planted on the patient's right: drawn on the left
    assert abs(raises[:, 1].mean() - lowers[:, 1].mean()) < 10


def test_the_program_apart_says_when_its_windows_are_open(drawn: Drawn) -> None:
    """What the page's button starts: it goes on after the one who started it, until its windows are closed."""
    code = (
        "import os, signal; from pathlib import Path; from core.results.workspace import Workspace\n"
        "from core.desktop import screen\n"
        "screen._WATCHED_S = 120\n"
        f"print(screen.launch(Path({drawn.answer['session']!r}), Workspace.default()))\n"
        "(program,) = screen._started\n"
        "print(program.poll(), os.getsid(program.pid) != os.getsid(0))\n"
        "os.killpg(program.pid, signal.SIGTERM); program.wait()"
    )
    assert on_a_screen(["-c", code], drawn.workspace).split() == ["True", "None", "True"]


def test_nothing_of_the_patient_is_left_behind(drawn: Drawn) -> None:
    """napari keeps settings and lists of files: no path of a slide may end there."""
    slide = load_media("study", drawn.workspace).files[0].path
    for path in (drawn.workspace.root / "config").rglob("*"):
        if path.is_file():
            assert slide.encode() not in path.read_bytes()
