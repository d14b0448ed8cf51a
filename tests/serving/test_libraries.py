"""The viewers' libraries come from the application itself: the two of the list, unchanged, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.serving import libraries
from core.serving.libraries import FILES, library_address


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    for name in FILES:
        path = tmp_path / FILES[name]
        path.parent.mkdir(parents=True)
        path.write_text(f"var library = '{name}';")
    (tmp_path / "secret.js").write_text("secret")
    monkeypatch.setattr(libraries, "FOLDER", tmp_path)
    return TestClient(Starlette(routes=libraries.routes()))


@pytest.mark.parametrize("name", FILES)
def test_a_library_is_served_whole_and_kept_by_the_browser(client: TestClient, name: str) -> None:
    answer = client.get(library_address(name))
    assert answer.status_code == 200
    assert answer.text == f"var library = '{name}';"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "max-age" in answer.headers["cache-control"]
    again = client.get(library_address(name), headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["secret.js", "..%2fsecret.js", "openseadragon.js", "%2e%2e/secret.js", ""])
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    answer = client.get(f"/library/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_library_that_was_never_fetched_says_what_to_do(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / FILES["niivue.umd.js"]).unlink()
    answer = client.get("/library/niivue.umd.js")
    assert answer.status_code == 404
    assert "./run app" in answer.json()["fix"]
    assert str(tmp_path) not in answer.text
