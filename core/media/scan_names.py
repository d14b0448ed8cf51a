"""What the scans of one patient are called on screen and in stored maps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def scan_names(labels: Sequence[str]) -> tuple[str, ...]:
    """One name a volume, in the order given: its phase ("scan" where it has none), numbered where several share it."""
    plain = [label.strip() or "scan" for label in labels]
    often, seen = Counter(plain), Counter[str]()
    names = []
    for label in plain:
        seen[label] += 1
        names.append(label if often[label] == 1 else f"{label} {seen[label]}")
    return tuple(names)
