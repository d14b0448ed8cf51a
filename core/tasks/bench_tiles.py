"""``bench tiles``: how long a reader waits for a tile, and for a map, over HTTP and through the routes' own checks.

A generated slide of 16 384 px a side with the grain of tissue, served as the dashboard serves it; six clients, each a
process, walk over it and ask for 3 × 3 neighbouring tiles at a time at the three finest levels and a far one, each as
soon as the last has come. The clients keep nothing; what the server keeps
of tiles helps only where two walks cross.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.media.deep_zoom import TILE
from core.media.heat_scale import Over, Shown
from core.media.slides import RGB
from core.media.synthetic.noise import seamless
from core.results.slide_maps import LayerKind, MapLayer, SlideMaps, save_slide_maps
from core.results.workspace import Workspace
from core.serving import heat_maps, slide_tiles
from core.serving.heat_maps import map_token, picture_address
from core.serving.slide_ids import SlideRef
from core.serving.slide_tiles import slide_address, slide_token
from core.serving.visitor import COOKIE, VisitorCookie
from core.tasks.bench import BenchResult, BenchRow, Progress

SIDE, CLIENTS = 16_384, 6
BLOCKS, BLOCKS_FULL = 12, 60
TILE_LIMIT_MS, MAP_LIMIT_S = 60.0, 1.0
PATCHES = 100_000
_LEVELS = 15  # of a slide of 16 384 px: 0 … 14
_REF, _RUN = SlideRef("bench", "bench", 0), "bench"
_VISITOR = "0" * 32


def bench_tiles(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Measure; ``full`` asks for five times as many tiles. The workspace is not touched."""
    with tempfile.TemporaryDirectory() as folder, _workspace(Path(folder)) as own:
        progress(0.0, f"writing a slide of {SIDE:,} px a side".replace(",", " "))
        path = Path(folder) / "slide.tif"
        write_texture(path)
        save_media("bench", MediaIndex((MediaFile("bench", Modality.SLIDES, MediaKind.SLIDE, str(path)),)), own)
        save_slide_maps(_maps(), own)
        with _served() as port:
            progress(0.5, "one client alone")
            alone = _walks(port, 1, BLOCKS)
            progress(0.6, f"{CLIENTS} clients")
            together = _walks(port, CLIENTS, BLOCKS_FULL if full else BLOCKS)
            progress(0.95, "the map")
            first, again = (_map_seconds(port) for _ in range(2))
    p50, p95 = (float(np.quantile(together, q)) for q in (0.5, 0.95))
    rows = (
        _row("tile:p50_ms", p50, "ms", None),
        _row("tile:p95_ms", p95, "ms", TILE_LIMIT_MS),
        _row("tile:p95_ms, one client", float(np.quantile(alone, 0.95)), "ms", None),
        _row("heatmap_100k_s", first, "s", MAP_LIMIT_S),
        _row("heatmap_100k_s, asked again", again, "s", MAP_LIMIT_S),
    )
    load = os.getloadavg()[0]
    return BenchResult(rows, {"tiles": len(together), "clients": CLIENTS, "cpus": os.cpu_count(), "load": load})


def _row(name: str, value: float, unit: str, limit: float | None) -> BenchRow:
    """A time against its limit: the ratio says how many times faster it is."""
    return BenchRow(name, value, unit, limit, None if limit is None else limit / value, None if limit is None else 1.0)


def write_texture(path: Path, side: int = SIDE) -> None:
    """A pyramid whose every tile has the grain of stained tissue, so that it costs what a tile of a scan costs."""
    random = np.random.default_rng(0)
    base = 2048
    grain, cells = seamless(base, 6.0, random), seamless(base, 24.0, random)
    dark = np.clip(cells - 1.0, 0, 1)[..., None] * np.array([90, 100, 40])
    texture = np.clip(np.array([224, 150, 190]) + 9 * grain[..., None] - dark, 0, 255).astype(np.uint8)
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for i, factor in enumerate((1, 4, 16)):
            reduced = np.asarray(Image.fromarray(texture).reduce(factor))
            long = side // factor
            resolution = 2e4 / factor
            file.write(
                _tiles(reduced, long), shape=(long, long, 3), dtype=np.uint8, tile=(512, 512), photometric="rgb",
                subsampling=(2, 2), compression="jpeg", compressionargs={"level": 80}, subfiletype=1 if i else 0,
                resolution=(resolution, resolution), resolutionunit="CENTIMETER",
            )  # fmt: skip


def _tiles(texture: RGB, long: int) -> Iterator[RGB]:
    for y in range(0, long, 512):
        for x in range(0, long, 512):
            rows = np.arange(y, y + 512) % texture.shape[0]
            columns = np.arange(x, x + 512) % texture.shape[1]
            yield np.ascontiguousarray(texture[rows][:, columns])


def _maps() -> SlideMaps:
    columns, rows = np.meshgrid(np.arange(400), np.arange(250))
    side = SIDE // 400
    corners = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.int64) * side
    values = np.random.default_rng(1).random(PATCHES).astype(np.float32)
    layer = MapLayer("attention", "attention", LayerKind.ATTENTION, values, False, "share")
    return SlideMaps(
        _RUN, "bench", 36.0, 1, np.zeros(PATCHES, dtype=np.int64), corners, {0: float(side)}, (layer,), True, "none",
        "bench", 0.0,
    )  # fmt: skip


@contextmanager
def _workspace(folder: Path) -> Iterator[Workspace]:
    """A workspace of the bench's own, also for the routes, which ask the environment."""
    name = "PROGNOSCOPE_WORKSPACE"
    before = os.environ.get(name)
    os.environ[name] = str(folder / "workspace")
    try:
        yield Workspace.default()
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _served() -> Iterator[int]:
    """The routes on a free port, in a thread of this process: the tokens are its own."""
    routes = [*slide_tiles.routes(), *heat_maps.routes()]
    app = Starlette(routes=routes, middleware=[Middleware(VisitorCookie)])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > deadline:
            raise PrognoscopeError("a server that does not start", "bench tiles", "try again")
        time.sleep(0.02)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _walks(port: int, clients: int, blocks: int) -> list[float]:
    """Milliseconds of every tile that the clients asked for at the same time."""
    address, token = slide_address(_REF), slide_token(_REF, _VISITOR)
    seeds = range(100 * clients, 101 * clients)  # nobody walks where an earlier client did
    work = [(port, f"{address}_files/{{level}}/{{column}}_{{row}}.jpeg?t={token}", seed, blocks) for seed in seeds]
    with multiprocessing.get_context("spawn").Pool(clients) as pool:
        pool.map(_warm, range(clients), chunksize=1)
        return [ms for found in pool.map(_walk, work, chunksize=1) for ms in found]


def _warm(_: int) -> None:
    """Let every client be there before the first begins."""
    time.sleep(0.2)


def _walk(work: tuple[int, str, int, int]) -> list[float]:
    port, address, seed, blocks = work
    random, times = np.random.default_rng(seed), []
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(blocks):
        level = int(random.choice([_LEVELS - 1, _LEVELS - 2, _LEVELS - 3, _LEVELS - 5]))
        most = -(-(SIDE >> (_LEVELS - 1 - level)) // TILE)
        left, top = (int(v) for v in random.integers(0, max(1, most - 2), 2))
        for column in range(left, min(most, left + 3)):
            for row in range(top, min(most, top + 3)):
                start = time.perf_counter()
                _read(connection, address.format(level=level, column=column, row=row))
                times.append(1000 * (time.perf_counter() - start))
    connection.close()
    return times


def _read(connection: http.client.HTTPConnection, address: str) -> bytes:
    connection.request("GET", address, headers={"Cookie": f"{COOKIE}={_VISITOR}"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise PrognoscopeError(f"status {answer.status} for a tile or a map", "bench tiles", "see the routes' tests")
    return content


def _map_seconds(port: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    address = picture_address(_RUN, _REF, "attention", Shown.PERCENTILE, Over.SLIDE)
    start = time.perf_counter()
    _read(connection, f"{address}&t={map_token(_RUN, _REF, _VISITOR)}")
    seconds = time.perf_counter() - start
    connection.close()
    return seconds
