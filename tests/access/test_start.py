"""What is refused before anything is served."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.access.settings import AccessSettings, check_start, is_this_machine
from core.cli.first_start import asked_address
from core.errors import PrognoscopeError

ROOT = Path(__file__).resolve().parents[2]
AUTH = {"redirect_uri": "https://p.example/oauth2callback", "cookie_secret": "s" * 32, "client_id": "a"}


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.0.1"])
def test_this_machine_is_served_without_a_login(address: str) -> None:
    assert is_this_machine(address)
    check_start(address, {})


@pytest.mark.parametrize(
    "address", ["", "0.0.0.0", "::", "192.168.1.7", "host.example", "127.0.0.1.example", "unix://x"]
)
def test_nobody_else_is_served_without_a_login(address: str) -> None:
    with pytest.raises(PrognoscopeError, match="no login is configured"):
        check_start(address, {})
    check_start(address, AUTH)


def test_a_weak_login_is_refused() -> None:
    with pytest.raises(PrognoscopeError, match="cookie_secret"):
        check_start("0.0.0.0", {**AUTH, "cookie_secret": "short"})
    with pytest.raises(PrognoscopeError, match="without https"):
        check_start("0.0.0.0", {**AUTH, "redirect_uri": "http://p.example/oauth2callback"})
    check_start("127.0.0.1", {**AUTH, "redirect_uri": "http://127.0.0.1:8501/oauth2callback"})
    with pytest.raises(PrognoscopeError, match="other sites"):
        check_start("127.0.0.1", {}, protected=False)


def test_the_settings_are_read_strictly() -> None:
    found = AccessSettings.from_mapping(
        {"idle_minutes": 5, "role_claim": "a.roles", "roles": {"x": "viewer", "y": "admin"}}
    )
    assert found.role_of({"a": {"roles": ["x", "y", "z"]}}) == "admin"
    assert found.role_of({"a.roles": "x"}) == "viewer"
    assert found.role_of({"a": {"roles": "nothing"}}) == found.role_of({}) == "nobody"
    assert found.user_of({"email": "Ada@X.org"}) == "ada@x.org"
    assert found.user_of({"email": "ada@x.org", "email_verified": False}) == ""
    assert found.user_of({"email": "ada@x.org", "provider": "second"}, True) == "second:ada@x.org"
    for wrong in ({"idle": 5}, {"idle_minutes": 0}, {"idle_minutes": "soon"}, {"roles": {"x": "king"}}):
        with pytest.raises(PrognoscopeError):
            AccessSettings.from_mapping(wrong)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["--server.address", "0.0.0.0"], "0.0.0.0"),
        (["--server.port", "1", "--server.address=10.0.0.5"], "10.0.0.5"),
        (["--server.address"], ""),
        ([], "127.0.0.1"),
    ],
)
def test_the_address_that_is_asked_for(words: list[str], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAMLIT_SERVER_ADDRESS", raising=False)
    assert asked_address(words) == address


@pytest.mark.parametrize("start", [["./run", "app"], [sys.executable, "-m", "streamlit", "run", "app.py"]])
def test_both_ways_to_start_end_with_one_sentence(start: list[str], tmp_path: Path) -> None:
    command = [*start, "--server.address", "0.0.0.0", "--server.port", "0"]
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(tmp_path / "workspace")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "no login is configured, so this dashboard is served to this machine alone" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not (tmp_path / "workspace").exists()
