"""What ``./run audit`` says: weaknesses by name, what could not be asked about counted, silence never called clean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.dependency_audit import CLEAN, NOT_ASKED, WEAK, main, of_npm, of_pip

FINE = {"name": "numpy", "version": "2.4.6", "vulns": []}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "CVE-2026-1"}, {"id": "GHSA-x"}]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.13.0+cpu)"}
NPM_FINE = {"metadata": {"dependencies": {"total": 63}}, "vulnerabilities": {}}
NPM_SILENT = {"message": "405 Method Not Allowed", "statusCode": 405}


def test_skipped_packages_are_counted_and_named() -> None:
    found = of_pip({"dependencies": [FINE, SKIPPED, SKIPPED | {"name": "x", "skip_reason": "…audited: x (1)"}]})
    assert (found.asked, found.code, len(found.skipped)) == (1, CLEAN, 2)
    assert "  skipped (Dependency not found on PyPI and could not be audited), 1: torch" in found.lines()


@pytest.mark.parametrize(
    ("pip", "npm", "code", "says"),
    [
        ({"dependencies": [FINE]}, NPM_FINE, CLEAN, "1 packages asked about, 0 with known weaknesses, 0 skipped"),
        ({"dependencies": [FINE, BAD]}, NPM_FINE, WEAK, "weak: old 1.0: CVE-2026-1, GHSA-x"),
        (
            {"dependencies": [FINE]},
            NPM_FINE | {"vulnerabilities": {"ol": {"severity": "high"}}},
            WEAK,
            "weak: ol: high",
        ),
        (
            {"dependencies": [SKIPPED]},
            NPM_FINE,
            NOT_ASKED,
            "0 packages asked about",
        ),  # "no known vulnerabilities found"
        ({"dependencies": [FINE]}, NPM_SILENT, NOT_ASKED, "Not answered: 405 Method Not Allowed"),
        (None, None, NOT_ASKED, "no report"),
    ],
)
def test_the_answer(
    pip: object, npm: object, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "pip.json", tmp_path / "npm.json"]
    for path, value in zip(paths, (pip, npm), strict=True):
        path.write_text("" if value is None else json.dumps(value))
    assert main([str(p) for p in paths]) == code
    assert says in capsys.readouterr().out


def test_an_npm_report_counts_what_it_looked_at() -> None:
    assert of_npm(NPM_FINE).asked == 63
