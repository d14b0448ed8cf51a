"""Tiles and maps: exact for whom they were signed for, nothing for anybody else, and never a label or macro image."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from core.media.heat_raster import rasterise
from core.media.heat_scale import Over, Shown, layer_scale
from core.results.slide_maps import SlideMaps
from core.results.workspace import Workspace
from core.serving import heat_maps, slide_tiles, tokens
from core.serving.heat_maps import map_address, map_token, picture_address
from core.serving.slide_ids import SlideRef
from core.serving.slide_tiles import slide_address, slide_token
from core.serving.visitor import COOKIE, VisitorCookie
from tests.serving.slide_places import corners_of, index_slides, maps_of, store_maps, write_slide

REF = SlideRef("study", "CANARY-77", 0)
RUN = "hdmoe-1"
WIDTH, HEIGHT, SIDE = 1500, 1100, 100
OF_THE_SLIDE = ("descriptor", "tile", "patch")
"""Routes whose token is that of the slide; the others' is that of its maps."""


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture
def maps(workspace: Workspace, tmp_path: Path, image: np.ndarray) -> SlideMaps:
    index_slides("study", REF.patient, [write_slide(tmp_path / "CANARY-77-original.tif", image)], workspace)
    return store_maps(maps_of(RUN, REF.patient, corners_of(WIDTH, HEIGHT, SIDE), SIDE), workspace)


@pytest.fixture
def client(maps: SlideMaps) -> TestClient:
    app = Starlette(routes=[*slide_tiles.routes(), *heat_maps.routes()], middleware=[Middleware(VisitorCookie)])
    client = TestClient(app)
    client.get("/")
    return client


def addresses() -> dict[str, str]:
    """One address of every route, without its token."""
    return {
        "descriptor": f"{slide_address(REF)}.dzi",
        "tile": f"{slide_address(REF)}_files/11/1_0.jpeg",
        "patch": f"{slide_address(REF)}/patch/200_300_100.jpeg",
        "picture": picture_address(RUN, REF, "attention", Shown.RAW, Over.SLIDE),
        "patches": f"{map_address(RUN, REF)}/patches.json",
        "values": f"{map_address(RUN, REF)}/attention.json",
    }


def token_for(name: str, visitor: str) -> str:
    return slide_token(REF, visitor) if name in OF_THE_SLIDE else map_token(RUN, REF, visitor)


def with_token(address: str, token: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}t={token}"


def test_the_right_browser_gets_tiles_patches_and_maps(client: TestClient, image: np.ndarray, maps: SlideMaps) -> None:
    mine = client.cookies[COOKIE]
    answers = {n: client.get(with_token(a, token_for(n, mine))) for n, a in addresses().items()}
    assert {n: a.status_code for n, a in answers.items()} == dict.fromkeys(answers, 200)
    assert f'Width="{WIDTH}"' in answers["descriptor"].text
    tile = np.asarray(Image.open(io.BytesIO(answers["tile"].content))).astype(float)
    assert tile.shape == (511, 512, 3)
    assert np.abs(tile.mean(axis=(0, 1)) - image[:511, 509:1021].mean(axis=(0, 1))).max() < 4
    assert Image.open(io.BytesIO(answers["patch"].content)).size == (128, 128)
    drawn = np.asarray(Image.open(io.BytesIO(answers["picture"].content)))
    layer = maps.layer("attention")
    assert layer is not None
    scale = layer_scale(maps, layer, 0, Shown.RAW, Over.SLIDE)
    assert np.array_equal(drawn, rasterise(maps.coordinates, SIDE, layer.values, (WIDTH, HEIGHT), scale).rgba)
    patches = answers["patches"].json()
    assert list(zip(patches["x"], patches["y"], strict=True)) == [tuple(c) for c in maps.coordinates.tolist()]
    assert answers["values"].json()["values"] == pytest.approx(layer.values.tolist(), rel=1e-4)
    assert all(a.headers["cache-control"] == "private, no-store" for a in answers.values())


@pytest.mark.parametrize("name", addresses())
@pytest.mark.parametrize(
    "token",
    [
        lambda name, mine: "",
        lambda name, mine: "rubbish",
        lambda name, mine: token_for(name, "f" * 32),
        lambda name, mine: token_for("values" if name in OF_THE_SLIDE else "tile", mine),
        lambda name, mine: slide_token(SlideRef("study", "CANARY-77", 1), mine),
    ],
    ids=["none", "rubbish", "another visitor's", "another resource's", "another slide's"],
)
def test_anybody_else_is_refused(client: TestClient, name: str, token: Callable[[str, str], str]) -> None:
    answer = client.get(with_token(addresses()[name], token(name, client.cookies[COOKIE])))
    assert answer.status_code == 403
    assert set(answer.json()) == {"error", "where", "fix"}


@pytest.mark.parametrize("name", addresses())
def test_a_token_dies_and_no_other_browser_can_use_it(
    client: TestClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = with_token(addresses()[name], token_for(name, client.cookies[COOKIE]))
    other = TestClient(client.app)
    other.get("/")
    assert other.get(address).status_code == 403
    assert client.get(address).status_code == 200
    late = time.time() + tokens.MAX_AGE_SECONDS + 2
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: late)
    assert client.get(address).status_code == 403


def test_addresses_hold_neither_pseudonym_nor_path_and_ids_cannot_be_guessed(client: TestClient) -> None:
    mine = client.cookies[COOKIE]
    whole = [with_token(a, token_for(n, mine)) for n, a in addresses().items()]
    assert not [a for a in whole if "CANARY" in a or "original" in a or "study" in a]
    assert re.fullmatch(r"/slide/[0-9a-f]{32}", slide_address(REF))
    forged = "0" * 32
    answer = client.get(f"/slide/{forged}.dzi?t={tokens.sign(mine, f'slide:{forged}')}")
    assert answer.status_code == 404
    assert "not known" in answer.json()["error"]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("{slide}_files/40/0_0.jpeg", "tile"),
        ("{slide}_files/11/9_0.jpeg", "tile"),
        ("{slide}/patch/99999_0_100.jpeg", "outside"),
        ("{slide}/patch/0_0_99999.jpeg", "outside"),
        ("{map}/nothing.png?shown=raw&over=slide", "layer"),
        ("{map}/expert-2.png?shown=raw&over=slide", "layer"),
        ("{map}/expert-2.json", "layer"),
        ("{map}/attention.png?shown=loud&over=slide", "scale"),
    ],
)
def test_what_is_not_there_is_said_plainly(client: TestClient, address: str, says: str) -> None:
    mine = client.cookies[COOKIE]
    token = slide_token(REF, mine) if "{slide}" in address else map_token(RUN, REF, mine)
    answer = client.get(with_token(address.format(slide=slide_address(REF), map=map_address(RUN, REF)), token))
    assert answer.status_code == 404
    assert says in answer.json()["error"]


def test_scales_change_the_picture_and_the_cohorts_is_used_where_it_was_made(client: TestClient) -> None:
    token = map_token(RUN, REF, client.cookies[COOKIE])
    seen = {
        (s, o): client.get(with_token(picture_address(RUN, REF, "attention", s, o), token)).content
        for s in Shown
        for o in Over
    }
    assert len(set(seen.values())) == 4
    signed = [client.get(with_token(picture_address(RUN, REF, "expert-1", Shown.RAW, o), token)).content for o in Over]
    assert signed[0] == signed[1]  # no cohort scale was made of this layer: the slide's own, and the page says so


def test_label_and_macro_images_of_a_real_slide_cannot_be_reached(
    shared_data: Path, workspace: Workspace, client: TestClient
) -> None:
    """The file holds them; whatever address is asked for, what comes back is tissue or a refusal."""
    path = shared_data / "wsi" / "cmu-1-small-region.svs"
    with openslide.OpenSlide(str(path)) as handle:
        hidden = {
            n: np.asarray(i.convert("RGB").resize((64, 64))).astype(float) for n, i in handle.associated_images.items()
        }
        assert {"label", "macro"} <= set(hidden)
    index_slides("real", "P1", [path], workspace)
    ref, mine = SlideRef("real", "P1", 0), client.cookies[COOKIE]
    base, token = slide_address(ref), slide_token(ref, mine)
    for name in hidden:
        endings = (
            "/{}.jpeg",
            "_files/{}.jpeg",
            "/{}.dzi",
            "_files/{}/0_0.jpeg",
            "-{}.dzi",
            "/associated/{}",
            ".dzi/{}",
        )
        for ending in endings:
            assert client.get(with_token(base + ending.format(name), token)).status_code in (403, 404)
    served = 0
    for level in range(12, -1, -1):
        for column in range(6):
            for row in range(7):
                answer = client.get(with_token(f"{base}_files/{level}/{column}_{row}.jpeg", token))
                if answer.status_code != 200:
                    continue
                served += 1
                tile = np.asarray(Image.open(io.BytesIO(answer.content)).resize((64, 64))).astype(float)
                assert all(np.abs(tile - hidden[n]).mean() > 10 for n in ("label", "macro"))
    assert served >= 30 + 12
