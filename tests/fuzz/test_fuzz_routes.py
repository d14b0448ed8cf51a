"""Whatever is asked of the own routes, and whatever a token holds, the answer is the thing asked for or a refusal.
See :mod:`tests.fuzz.effort`."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from core.access.sessions import session_id
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.results.run_store import save_run
from core.results.views import load_view
from core.results.workspace import Workspace
from core.serving.exports import estimates_resource, predictions_resource
from core.serving.gate import Gate
from core.serving.guard import cohort_of_run
from core.serving.heat_maps import map_resource
from core.serving.opaque import opaque_patient, patient_of
from core.serving.routes import routes
from core.serving.slide_ids import SlideRef, slide_id
from core.serving.slide_tiles import slide_resource
from core.serving.tokens import sign, verify
from core.serving.visitor import VisitorCookie, visitor_of
from core.serving.volumes import scans_resource
from tests.fuzz.effort import tried, tries
from tests.fuzz.mutations import NASTY
from tests.fuzz.test_fuzz_importers import one_sentence
from tests.fuzz.watch import Watch
from tests.pages.builders import make_large_cohort, make_predictions, make_run

BASE = "http://127.0.0.1:8501"
HEX = "0123456789abcdef"
COHORT = make_large_cohort(60)
PATIENT = COHORT.ids[0]
SLIDE = slide_id(SlideRef("large", PATIENT, 0))
OPAQUE = opaque_patient("large", PATIENT)
PATTERNS = (
    "/export/predictions/{run}.csv", "/export/estimates/{set}.csv", "/slide/{slide}.dzi",
    "/slide/{slide}_files/{number}/{number}_{number}.jpeg", "/slide/{slide}/patch/{number}_{number}_{number}.jpeg",
    "/map/{run}/{slide}/patches.json", "/map/{run}/{slide}/{layer}.json", "/map/{run}/{slide}/{layer}.png",
    "/scan/{cohort}/{patient}/{number}.nii.gz", "/scan/{cohort}/{patient}/{run}/{number}.nii.gz",
    "/scan/{cohort}/{patient}/{number}/{plane}.png", "/library/{layer}",
)  # fmt: skip
KNOWN = {
    "run": ("hdmoe-1", "none"), "set": ("none",), "slide": (SLIDE, "0" * 24), "cohort": ("large", "sample"),
    "patient": (OPAQUE, "0" * 24), "number": ("0", "1", "9", "-1", "99999999999999999999", "007"),
    "layer": ("risk", "openseadragon.min.js", "gate"), "plane": ("axial", "coronal"),
}  # fmt: skip
RESOURCES = (
    predictions_resource("hdmoe-1"), estimates_resource("none"), slide_resource(SLIDE), map_resource("hdmoe-1", SLIDE),
    scans_resource("large", OPAQUE), "",
)  # fmt: skip
odd = st.sampled_from(NASTY) | st.text(max_size=20) | st.text(alphabet=string.printable, max_size=20)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A browser at an application with one cohort, a slide and a run."""
    folder = tmp_path_factory.mktemp("served")
    workspace, predictions = Workspace(folder / "workspace"), make_predictions(COHORT)
    save_cohort(COHORT, None, workspace)
    save_run(make_run(COHORT, predictions), predictions, workspace)
    tifffile.imwrite(folder / "a.tif", np.full((300, 300, 3), 200, np.uint8), tile=(256, 256), photometric="rgb")
    file = MediaFile(PATIENT, Modality.SLIDES, MediaKind.SLIDE, str(folder / "a.tif"))
    save_media("large", MediaIndex((file,)), workspace)
    app = Starlette(routes=routes(), middleware=[Middleware(Gate, workspace=workspace), Middleware(VisitorCookie)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROGNOSCOPE_WORKSPACE", str(workspace.root))
        patch.setenv("PROGNOSCOPE_STATE", str(folder / "state"))
        made = TestClient(app, base_url=BASE, client=("127.0.0.1", 5000), follow_redirects=False)
        made.get("/")
        yield made


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """A route with some of its parts odd; or anything."""
    if draw(st.integers(0, 19)) == 0:
        return "/" + draw(odd)
    pattern = draw(st.sampled_from(PATTERNS))
    parts = {name: draw(st.sampled_from(known) if draw(st.integers(0, 2)) else odd) for name, known in KNOWN.items()}
    return pattern.format(**parts)


@st.composite
def tokens(draw: st.DrawFn, visitor: str) -> str:
    """A right one, one for somebody or something else, one that was changed, or no token at all."""
    right = sign(visitor if draw(st.integers(0, 3)) else draw(odd), draw(st.sampled_from(RESOURCES) | odd))
    how = draw(st.integers(0, 3))
    if how == 0:
        return right
    if how == 1:
        return draw(odd)
    at = draw(st.integers(0, 400)) % len(right)  # no two tokens are of one length: what is drawn must not depend on it
    return right[:at] + draw(odd) + right[at + draw(st.integers(0, 4)) :]


def escaped(text: str, keep: str) -> str:
    return "".join(c if c in keep else "".join(f"%{b:02X}" for b in c.encode("utf-8", "surrogatepass")) for c in text)


@tries(0.22, 220)
@given(st.data())
def test_routes(client: TestClient, watch_served: Watch, data: st.DataObject) -> None:
    plain = string.ascii_letters + string.digits + "/._-"
    keep = plain if data.draw(st.booleans()) else plain + "%:~$'\"(),;@{}[]|^`<>=+*!& "
    address = data.draw(addresses())
    cookies = dict(client.cookies)
    token = data.draw(tokens(visitor_of(cookies)))
    method = data.draw(st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "X"]))
    names = st.sampled_from(
        [
            "Host",
            "X-Forwarded-For",
            "Range",
            "Accept",
            "If-None-Match",
            "If-Modified-Since",
            "Origin",
            "Cookie",
            "X-Odd",
        ]
    )
    headers = data.draw(st.dictionaries(names, st.text(string.printable.strip() + " ", max_size=30), max_size=2))
    extra = data.draw(st.sampled_from(["", "", "&month=36", "&over=x", "&low=nan&high=inf", "&lo=1e999&colour=%00"]))
    query = f"?t={escaped(token, plain)}{extra}" if data.draw(st.integers(0, 9)) else ""
    tried("routes")
    target = (escaped(address, keep) + query).replace("#", "%23")
    answer = client.request(method, BASE + target, headers=headers)
    assert answer.status_code < 500, (method, target, answer.text[:500])
    assert "Traceback" not in answer.text[:5000]
    if (
        method != "HEAD"
        and answer.status_code in (403, 404)
        and answer.headers.get("content-type", "").startswith("application/json")
    ):
        assert set(answer.json()) == {"error", "where", "fix"}


@pytest.fixture
def watch_served(client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Nothing outside the folders of this process's tests may be written."""
    with Watch(tmp_path_factory.getbasetemp()) as found:
        yield found
    assert found.outside == []


@tries(0.1, 150)
@given(st.data(), odd, st.sampled_from(RESOURCES) | odd)
def test_tokens(data: st.DataObject, user: str, resource: str) -> None:
    """Only the very token of this user and resource opens it."""
    token = data.draw(tokens(user) | odd | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
    tried("tokens")
    right = sign(user, resource)
    reason = verify(token, user, resource)
    assert reason in ("", "missing", "expired", "invalid", "other resource", "other user")
    if reason == "":  # opened: then it says the same as the right one
        assert token.rpartition(".")[0].rpartition(".")[0] == right.rpartition(".")[0].rpartition(".")[0]
    assert verify(right, user, resource) == ""
    assert verify(right, user + "x", resource) == "other user"
    assert verify(right, user, resource + "x") == "other resource"


@tries(0.1, 100)
@given(odd | st.text(HEX, min_size=24, max_size=32), st.dictionaries(odd, odd, max_size=3))
def test_names_in_addresses(client: TestClient, tmp_path: Path, name: str, cookies: dict[str, str]) -> None:
    """Opaque names, saved views and cookies name what is there, or nobody."""
    workspace = Workspace.default()
    tried("tokens")
    for ask in (
        lambda: patient_of("large", name, workspace), lambda: patient_of(name, OPAQUE, workspace),
        lambda: cohort_of_run(name), lambda: load_view(name, workspace),
    ):  # fmt: skip
        try:
            ask()
        except PrognoscopeError as error:
            one_sentence(error)
    assert isinstance(session_id(cookies), str)
    assert isinstance(visitor_of(cookies), str)
