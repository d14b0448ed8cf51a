"""What ``./run audit`` found: known weaknesses of the packages, and how many could not be asked about.

``pip-audit`` says "no known vulnerabilities" also of packages it could not look up: here these are counted and named.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CLEAN, WEAK, NOT_ASKED = 0, 1, 2


@dataclass(frozen=True)
class Audited:
    """``asked`` packages looked up · ``weak`` (package, advisories) · ``skipped`` (package, why) · ``problem`` when
    nobody answered."""

    tool: str
    asked: int
    weak: tuple[tuple[str, str], ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def code(self) -> int:
        """0 clean · 1 known weaknesses · 2 nobody answered for any package."""
        if self.weak:
            return WEAK
        return NOT_ASKED if self.problem or not self.asked else CLEAN

    def lines(self) -> list[str]:
        """For a person."""
        head = f"{self.tool}: {self.asked} packages asked about, {len(self.weak)} with known weaknesses, "
        head += f"{len(self.skipped)} skipped"
        told = [head + (f". Not answered: {self.problem}" if self.problem else "")]
        told += [f"  weak: {name}: {what}" for name, what in self.weak]
        reasons = Counter(why for _, why in self.skipped)
        for why, count in reasons.most_common():
            names = ", ".join(n for n, w in self.skipped if w == why)
            told.append(f"  skipped ({why}), {count}: {names}")
        return told


def of_pip(report: Mapping[str, Any] | None) -> Audited:
    """From ``pip-audit -f json``."""
    if report is None:
        return Audited("pip-audit", 0, problem="no report (no network, or pip-audit could not be installed)")
    packages = report.get("dependencies", [])
    skipped = tuple((p["name"], _reason(p)) for p in packages if "skip_reason" in p)
    weak = tuple(
        (f"{p['name']} {p['version']}", ", ".join(v["id"] for v in p["vulns"])) for p in packages if p.get("vulns")
    )
    return Audited("pip-audit", len(packages) - len(skipped), weak, skipped)


def _reason(package: Mapping[str, Any]) -> str:
    """The reason without the package's own name, so that equal ones can be counted."""
    name = package["name"]
    return str(package["skip_reason"]).partition(f": {name}")[0]


def of_npm(report: Mapping[str, Any] | None) -> Audited:
    """From ``npm audit --json``."""
    if report is None or "metadata" not in report:
        words = str((report or {}).get("message") or "no report (no network, or no npm)")
        return Audited("npm audit", 0, problem=words)
    asked = report["metadata"].get("dependencies", {})
    count = int(asked.get("total", asked.get("prod", 0)))
    weak = tuple((name, str(found.get("severity", ""))) for name, found in report.get("vulnerabilities", {}).items())
    return Audited("npm audit", count, weak)


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def main(arguments: Sequence[str]) -> int:
    """Print what the reports of pip-audit and npm audit hold; 0 clean, 1 known weaknesses, 2 nobody answered."""
    pip, npm = (_read(Path(a)) for a in arguments)
    found = (of_pip(pip), of_npm(npm))
    print(f"Known weaknesses of the packages, asked on {datetime.now(UTC).date()}:")
    for audited in found:
        print("\n".join(audited.lines()))
    codes = {a.code for a in found}
    return WEAK if WEAK in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
