"""The benchmarks by name. Each is found by module path, so that naming one loads no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from core.errors import PrognoscopeError
from core.results.workspace import Workspace

Progress = Callable[[float, str], None]

BENCHES: Mapping[str, str] = {
    "training": "core.tasks.bench_training:bench_training",
    "evidence": "core.tasks.bench_evidence:bench_evidence",
    "external": "core.tasks.bench_external:bench_external",
    "sample": "core.tasks.bench_sample:bench_sample",
    "hdmoe-ablation": "core.tasks.bench_hdmoe_sweeps:bench_ablation",
    "hdmoe-distance": "core.tasks.bench_hdmoe_sweeps:bench_distance",
    "hdmoe-tokens": "core.tasks.bench_hdmoe_sweeps:bench_tokens",
    "hdmoe-experts": "core.tasks.bench_hdmoe_sweeps:bench_experts",
    "hdmoe-alpha-beta": "core.tasks.bench_hdmoe_sweeps:bench_alpha_beta",
    "hdmoe-rfr": "core.tasks.bench_hdmoe_rfr:bench_rfr",
    "hdmoe-figures": "core.tasks.bench_hdmoe_figures:bench_figures",
    "mice-ablation": "core.tasks.bench_mice_sweeps:bench_ablation",
    "mice-alpha": "core.tasks.bench_mice_sweeps:bench_alpha",
    "mice-data": "core.tasks.bench_mice_data:bench_data",
    "mice-missing": "core.tasks.bench_mice_missing:bench_missing",
    "mice-left-out": "core.tasks.bench_mice_left_out:bench_left_out",
    "mice-training": "core.tasks.bench_mice_training:bench_mice_training",
    "explain-speed": "core.tasks.bench_explain_speed:bench_explain_speed",
    "report-parts": "core.tasks.bench_report_parts:bench_report_parts",
    "all": "core.tasks.bench_all:bench_all",
    "gpu": "core.tasks.bench_gpu:bench_gpu",
    "tiles": "core.tasks.bench_tiles:bench_tiles",
    "pages": "core.tasks.bench_pages:bench_pages",
    "load": "core.tasks.bench_load:bench_load",
    "biofact-audit": "core.tasks.bench_biofact_audit:bench_biofact_audit",
    "explanations": "core.tasks.bench_explanations:bench_explanations",
    "evidence-eleven": "core.tasks.bench_eleven:bench_eleven",
    "faults": "core.tasks.bench_faults:bench_faults",
}


@dataclass(frozen=True)
class BenchRow:
    """One measured number.

    Parameters
    ----------
    name : str
    value : float
        What was measured, in ``unit``.
    unit : str
    reference, ratio : float or None
        What it is measured against (same unit), and how many times better ``value`` is.
    target : float or None
        The ratio that is asked for.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    target: float | None = None


@dataclass(frozen=True)
class BenchResult:
    """Rows, further keys of the JSON answer, and lines to print in place of the table of rows."""

    rows: tuple[BenchRow, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def run_bench(name: str, workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Run the benchmark ``name``; ``full`` takes longer and measures more."""
    if name not in BENCHES:
        raise PrognoscopeError(f"no benchmark named {name!r}", "bench", f"use one of {', '.join(BENCHES)}")
    module, _, function = BENCHES[name].partition(":")
    result: BenchResult = getattr(import_module(module), function)(workspace, full, progress)
    return result
