"""``routing``."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from core.analysis.gates import match_words
from core.cli.output import Answer, ProgressBar, table
from core.results.routing_record import LevelRecord, RoutingRecord
from core.results.workspace import Workspace
from core.statistics.allocation import shares_out_of_fold
from core.tasks.routing import RoutingRequest, read_routing


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("routing", help="how a run's experts share out its patients, and what each is worth")
    add.add_argument("routed", metavar="RUN")
    add.add_argument("--month", type=float, default=None, help="whose survival the switches change (nearest 36)")
    add.set_defaults(run=run_routing)


def run_routing(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Read the routing and print it."""
    record = read_routing(RoutingRequest(args.routed, args.month), workspace, ProgressBar())
    return Answer(_json(record), _lines(record))


def _json(record: RoutingRecord) -> dict[str, Any]:
    levels = {}
    for name, level in record.levels.items():
        found = shares_out_of_fold(level.load, level.mass)
        levels[name] = {
            "experts": list(level.switched), "named": level.named, "load": found.load.tolist(),
            "mass": found.mass.tolist(), "entropy": found.entropy, "kl": found.divergence,
            "within": level.within.tolist(), "between": level.between.tolist(),
            "off": {"points": _effect(level)},
        }  # fmt: skip
    off = {m: float(np.nanmean(np.abs(x.survival))) for m, x in record.modalities.items()}
    return {
        "run": record.run, "cohort": record.cohort, "month": record.month, "patients": len(record),
        "models": len(record.seeds), "levels": levels, "modalities_off": off, "notes": _notes(record),
    }  # fmt: skip


def _effect(level: LevelRecord) -> dict[str, float]:
    """Mean size of what switching each expert off changes, percentage points."""
    size = np.nanmean(np.abs(level.survival), axis=(0, 1))
    return {name: float(x) for name, x in zip(level.switched, size, strict=True)}


def _lines(record: RoutingRecord) -> list[str]:
    lines = [f"Routing of {record.run}: {len(record):,} patients, out of fold, {len(record.seeds)} seeds"]
    if record.synthetic:
        lines.append("  synthetic patients")
    for name, level in record.levels.items():
        found = shares_out_of_fold(level.load, level.mass)
        how = "named" if level.named else (
            f"matched, correlation {level.within.mean():.2f} within and {level.between.min():.2f} between seeds"
        )  # fmt: skip
        lines.append(f"  {name}: normalised entropy of the load {found.entropy:.2f} ({how})")
        effect = _effect(level)
        rows = [
            (e, f"{100 * found.load[i]:.0f} %", f"{100 * found.mass[i]:.0f} %", f"{effect[e]:.2f}")
            for i, e in enumerate(level.experts)
        ]
        rows += [("shared", "", "", f"{effect['shared']:.2f}")] if level.shared else []
        lines += table(("expert", "assignments", "gate mass", f"off: mean |Δ S({record.month:g})|, points"), rows)
    for modality, off in record.modalities.items():
        size = float(np.nanmean(np.abs(off.survival)))
        lines.append(f"  {modality} off: S({record.month:g}) moves by {size:.2f} points on average")
    return lines + [f"  note: {n}" for n in _notes(record)]


def _notes(record: RoutingRecord) -> list[str]:
    return [n for n in (match_words(record.levels), *record.notes) if n]
