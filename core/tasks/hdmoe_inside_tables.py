"""The Markdown of the HDMoE paper's Figures 5 and 6: redundancy and allocation of the tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.statistics.allocation import Allocation
from core.tasks.figure_files import FOLDER
from core.tasks.hdmoe_figure_record import Found, how_made
from core.tasks.markdown import table_header, table_row


def redundancy_lines(found: Mapping[str, Found], command: str) -> list[str]:
    """Figure 5: token self-correlation before and after the shared expert, with the untrained network beside it."""
    lines = [
        "### Redundancy of the tokens before and after the shared expert (paper's Figures 5 and 11 to 13)",
        "",
        how_made(found, command),
        "A level 1 cuts the representation of a modality into four tokens of 64 values. For every test patient the",
        "tokens are correlated with each other over their values; the mean |r| off the diagonal is the redundancy,",
        "the total (in brackets) the sum of the mean r off the diagonal, the paper's measure. A network before its",
        "first training step stands beside it: what it shows too, nobody has learned.",
        "",
        table_header(["cohort, modality", "measure", "before", "after", "untrained: before", "untrained: after"]),
    ]
    fell, rose = 0, 0
    for name, f in found.items():
        for key, r in f.trained.redundancy.items():
            level, measure = key
            u = f.untrained.redundancy[key]
            values = [f"{x.redundancy:.3f} ({x.total:+.2f})" for x in (r.before, r.after, u.before, u.after)]
            lines.append(table_row([f"{name.upper()}, {level.partition(' · ')[2]}", measure, *values]))
            if measure == "correlation":
                fell, rose = fell + (r.after.total < r.before.total), rose + (r.after.total >= r.before.total)
    return [
        *lines,
        "",
        f"By the paper's measure (total of the correlations) redundancy fell in {fell} and rose in {rose} of the",
        f"{fell + rose} rows. The paper finds a fall of .28 (pathology) and .46 (genomics) on BLCA. Two things to",
        "know when reading either: the values of two tokens have no common order before the expert (they are pieces",
        "of one vector, so a small r is what chance gives), and all of them pass through the same expert, whose",
        "outputs are not negative, so that the cosine can only be positive after it.",
        "",
        f"![Token self-correlation on BLCA]({FOLDER}/tokens-blca.svg)",
    ]


def combined(allocations: Sequence[Allocation]) -> Allocation:
    """Mean over models of the ranked shares: expert 1 is the most used one of its own model."""
    ranked = [a.ranked() for a in allocations]
    load, mass = (np.mean([getattr(a, name) for a in ranked], axis=0) for name in ("load", "mass"))
    return Allocation(load, mass)


def allocation_lines(found: Mapping[str, Found], command: str) -> list[str]:
    """Figure 6: share of the tokens sent to each expert, and share of the gate weight."""
    lines = [
        "### Allocation of the routed experts (paper's Figure 6)",
        "",
        how_made(found, command),
        "Share of the tokens sent to each of 8 experts (assignment, top 1) and of the soft gate weight, of the test",
        "patients. Experts of different folds are different experts, so they are ordered by use within each model and",
        "then averaged. Entropy: 1 = all alike (12.5 % each). Unused: experts that no token reached, mean over models.",
        "",
        table_header(
            ["cohort, module", "assignments, % (most used first)", "gate weight of the same, %", "entropy", "unused"]
        ),
    ]
    for name, f in found.items():
        for level, allocations in f.trained.allocations.items():
            both = combined(allocations)
            shares = [" ".join(f"{100 * v:.0f}" for v in values) for values in (both.load, both.mass)]
            entropy = float(np.mean([a.entropy for a in allocations]))
            unused = float(np.mean([a.unused for a in allocations]))
            lines.append(table_row([f"{name.upper()}, {level}", *shares, f"{entropy:.2f}", f"{unused:.1f}"]))
    return [
        *lines,
        "",
        "The paper reads differences in use as importance of an expert. Gate weight that stays near 12.5 % while the",
        "assignments are uneven says that a top-1 choice was made between almost equal gates.",
        "",
        f"![Allocation per module and cohort]({FOLDER}/allocation.svg)",
    ]
