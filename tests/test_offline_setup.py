"""``./run --wheels DIR``: the script itself sets up an environment from a folder, with every way to the network cut."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def wheel(folder: Path, name: str, version: str) -> None:
    """A package that says where it came from."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": b"SOURCE = 'folder'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for path, data in files.items()
    ]
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A small project beside the real script, and a folder with its packages."""
    project, folder = tmp_path / "project", tmp_path / "wheel folder"
    (project / "core" / "cli").mkdir(parents=True)
    (project / "assets").mkdir()
    folder.mkdir()
    shutil.copy(ROOT / "run", project / "run")
    (project / "requirements.txt").write_text("torch==2.13.0\nprobe==1.0\n")
    (project / "assets" / "package-lock.json").write_text("{}")
    (project / "core" / "__init__.py").touch()
    (project / "core" / "cli" / "__init__.py").touch()
    (project / "core" / "cli" / "__main__.py").write_text("import probe, torch\nprint(probe.SOURCE, torch.SOURCE)\n")
    wheel(folder, "torch", "2.13.0")
    wheel(folder, "probe", "1.0")
    (tmp_path / "node_modules" / "viewer").mkdir(parents=True)
    (tmp_path / "node_modules" / "viewer" / "v.js").write_text("1")
    with tarfile.open(folder / "viewers.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "node_modules", "node_modules")
    sums(folder)
    return project


def run(project: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PROGNOSCOPE_"))}
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    environment = {**kept, **nowhere, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", **more}
    return subprocess.run(
        ["./run", *words], cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def sums(folder: Path) -> None:
    files = [p for p in sorted(folder.iterdir()) if p.name != "SHA256SUMS"]
    lines = (f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in files)
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_a_folder_of_wheels_is_all_it_needs_and_anything_less_is_one_sentence(place: Path) -> None:
    """In one environment, for making one takes seconds."""
    folder = place.parent / "wheel folder"
    gone = run(place, "cli", PROGNOSCOPE_WHEELS="/nowhere")
    assert gone.returncode == 1
    assert gone.stderr.startswith("No wheel folder at /nowhere")
    probe = folder / "probe-1.0-py3-none-any.whl"
    whole = probe.read_bytes()
    probe.write_bytes(whole[:-1])
    altered = run(place, "--wheels", str(folder), "cli")
    assert altered.returncode == 1
    assert "missing or altered" in altered.stderr
    assert not (place / ".venv").exists()

    probe.unlink()
    sums(folder)
    lacking = run(place, "--wheels", str(folder), "cli")
    assert lacking.returncode == 1
    assert "lacks a package" in lacking.stderr
    assert "./run wheels DIR" in lacking.stderr
    assert not (place / ".venv" / ".requirements").exists()

    probe.write_bytes(whole)
    sums(folder)
    found = run(place, "--wheels", "../wheel folder", "cli")
    assert (found.returncode, found.stdout) == (0, "folder folder\n"), found.stderr
    again = run(place, "cli")  # the environment is whole: no folder is needed any more
    assert again.stdout == "folder folder\n"

    (place.parent / "index").symlink_to(folder)  # an index, for once: pip reads it from the environment
    more = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(place.parent / "index")}
    made = run(place, "--wheels", str(folder), "wheels", "../made here", **more)
    assert made.returncode == 0, made.stderr
    assert "2 packages and the viewers' libraries" in made.stderr
    listed = (place.parent / "made here" / "SHA256SUMS").read_text()
    names = {line.split("  ")[1] for line in listed.splitlines()}
    assert names == {"probe-1.0-py3-none-any.whl", "torch-2.13.0-py3-none-any.whl", "viewers.tar.gz"}
    assert (place / "assets" / "node_modules" / "viewer" / "v.js").is_file()
