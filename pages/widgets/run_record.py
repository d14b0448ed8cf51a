"""A run in numbers, the rows it is read against, its warnings, and everything that makes it repeatable."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.analysis.comparisons import interval
from core.analysis.run_settings import settings_sentence
from core.results.naming import badge, model_words
from core.results.run import Metric, Run
from pages.widgets import state as page
from pages.widgets.html import facts, note, numbers_table


def metric_words(metric: Metric) -> str:
    """A metric with its interval."""
    return interval(metric.mean, metric.low, metric.high, 3)


def run_summary(run: Run, place: str) -> None:
    """Headline metrics, references and warnings, with the way to the Survival page; ``place`` tells its keys apart."""
    metrics = run.metrics
    head = [("harrell_c", "Harrell C"), ("uno_c", "Uno C"), ("ibs", "integrated Brier score")]
    facts([(_short(getattr(metrics, name)), _between(getattr(metrics, name)), words) for name, words in head])
    null = metrics.ibs_kaplan_meier.mean
    note(
        f"{badge(run.protocol, False).capitalize()} predictions of {run.patients:,} patients, {run.events:,} events"
        + ("" if null is None else f"; the Kaplan-Meier null has an integrated Brier score of {null:.3f}")
        + "."
    )
    for warning in run.warnings:
        note(f"{warning[:1].upper()}{warning[1:]}.", warn=True)
    if run.references:
        numbers_table(references_table(run), right=("Harrell C (95 % CI)", "IBS"))
    if st.button("Open in Survival", key=f"survival_{place}_{run.id}"):
        page.put(replace(page.current(), run=run.id))
        st.switch_page("survival.py")


def _short(metric: Metric) -> str:
    return "–" if metric.mean is None else f"{metric.mean:.3f}"


def _between(metric: Metric) -> str:
    return "" if metric.low is None or metric.high is None else f"{metric.low:.3f} to {metric.high:.3f}"


def references_table(run: Run) -> pd.DataFrame:
    """The run first, then every row it is read against, on the same folds."""
    rows = [(f"This run ({model_words(run.model)})", run.metrics)] + [(r.name, r.metrics) for r in run.references]
    return pd.DataFrame(
        [{"Read it against": name, "Harrell C (95 % CI)": metric_words(m.harrell_c),
          "IBS": "–" if m.ibs.mean is None else f"{m.ibs.mean:.3f}"} for name, m in rows]
    )  # fmt: skip


def run_record(run: Run) -> None:
    """The immutable record: code, data, split, seeds, settings, machine, and the command that repeats it."""
    excluded = "; ".join(f"{count:,} {reason}" for reason, count in run.excluded) or "nobody"
    rows = [
        ("Run", run.id),
        ("Trained", f"{run.created_at[:16].replace('T', ' ')} UTC, {run.seconds:,.0f} s"),
        ("Code", run.code_version),
        ("Data", f"{run.cohort}, fingerprint {run.cohort_hash[:16]}"),
        ("Inputs", " + ".join(run.modalities)),
        ("Endpoint", run.endpoint),
        ("Split", f"{run.folds}: {run.n_folds} folds"),
        ("Seeds", ", ".join(str(s) for s in run.seeds)),
        ("Settings", settings_sentence(run)),
        ("Protocol", run.protocol),
        ("Left out", excluded),
        ("Machine", run.machine),
    ]
    numbers_table(pd.DataFrame(rows, columns=["Record", "Value"]))
    st.caption("The command that repeats it")
    st.code(run.command, language=None, wrap_lines=True)
