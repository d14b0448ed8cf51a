"""Own routes answer nobody without a token made for that browser and that resource."""

from __future__ import annotations

import io
import time

import pandas as pd
import pytest
from itsdangerous import URLSafeTimedSerializer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from core.results.run_store import save_run
from core.results.workspace import Workspace
from core.serving.exports import predictions_csv, predictions_url, routes
from core.serving.guard import guarded
from core.serving.tokens import sign, verify
from core.serving.visitor import COOKIE, VisitorCookie
from tests.pages.builders import make_large_cohort, make_predictions, make_run


@guarded(lambda request: "broken", lambda request: "sample")
def _broken(request: Request) -> Response:
    raise RuntimeError("secret detail")


@pytest.fixture
def client(workspace: Workspace) -> TestClient:
    cohort = make_large_cohort(60)
    predictions = make_predictions(cohort)
    save_run(make_run(cohort, predictions), predictions, workspace)
    app = Starlette(routes=[*routes(), Route("/broken", _broken)], middleware=[Middleware(VisitorCookie)])
    client = TestClient(app)
    client.get("/")  # any first answer brings the cookie
    return client


def test_the_right_browser_gets_every_prediction(client: TestClient) -> None:
    answer = client.get(predictions_url("hdmoe-1", client.cookies[COOKIE]))
    table = pd.read_csv(io.StringIO(answer.text))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert "synthetic-hdmoe-1" in answer.headers["content-disposition"]
    expected = make_predictions(make_large_cohort(60))
    assert len(table) == len(expected) == 120
    pd.testing.assert_series_equal(table["risk"], expected.table["risk"])
    assert set(table["predicted"]) == {"out-of-fold"}
    assert predictions_csv(expected) == answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/export/predictions/hdmoe-1.csv",
        "/export/predictions/hdmoe-1.csv?t=rubbish",
        "/export/predictions/hdmoe-1.csv?t=" + sign("somebody-else", "predictions:hdmoe-1"),
        "/export/predictions/..%2f..%2fprotected.csv",
    ],
)
def test_a_request_without_its_own_token_is_refused(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code in (403, 404)
    assert "risk" not in answer.text


def test_a_token_opens_one_resource_for_one_browser_only(client: TestClient) -> None:
    mine = client.cookies[COOKIE]
    other = client.get("/export/predictions/other.csv?t=" + sign(mine, "predictions:hdmoe-1"))
    assert other.status_code == 403
    stolen = TestClient(client.app)
    stolen.get("/")
    assert stolen.get(predictions_url("hdmoe-1", mine)).status_code == 403
    assert client.get(predictions_url("hdmoe-1", mine)).status_code == 200


def test_an_address_does_not_give_its_browser_away(client: TestClient) -> None:
    """Whoever sees an address (a screenshot, a log) cannot read the cookie out of it and pass for that browser."""
    mine = client.cookies[COOKIE]
    _, decoded = URLSafeTimedSerializer("a stranger's key").loads_unsafe(sign(mine, "predictions:hdmoe-1"))
    assert "predictions:hdmoe-1" in decoded
    assert mine not in str(decoded)


def test_an_unknown_run_and_a_broken_route_say_little(client: TestClient) -> None:
    mine = client.cookies[COOKIE]
    missing = client.get(predictions_url("no-such-run", mine))
    assert missing.status_code == 404
    assert set(missing.json()) == {"error", "where", "fix"}
    broken = client.get("/broken?t=" + sign(mine, "broken"))
    assert broken.status_code == 500
    assert "secret detail" not in broken.text
    assert "error" in broken.json()


def test_a_token_dies() -> None:
    token = sign("me", "predictions:a")
    assert verify(token, "me", "predictions:a") == ""
    time.sleep(1.1)
    assert verify(token, "me", "predictions:a", max_age=0) == "expired"
    assert verify("", "me", "predictions:a") == "missing"
    assert verify(token[:-2] + "xx", "me", "predictions:a") == "invalid"


def test_the_cookie_is_kept_and_cannot_be_read_by_scripts(client: TestClient) -> None:
    first = client.cookies[COOKIE]
    again = client.get("/export/predictions/hdmoe-1.csv")
    assert "set-cookie" not in again.headers
    assert client.cookies[COOKIE] == first
    fresh = TestClient(client.app).get("/")
    assert "httponly" in fresh.headers["set-cookie"].lower()
    assert "samesite=strict" in fresh.headers["set-cookie"].lower()
