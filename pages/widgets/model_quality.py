"""How far the chosen run can be trusted for the selected patients."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.access.roles import Permission
from core.analysis.comparisons import interval, years
from core.analysis.model_quality import ModelQuality, assess, quality_behind
from core.analysis.quality_behind import auc_behind, auc_numbers, brier_behind, brier_numbers
from core.analysis.reproduce_quality import calibration_python, calibration_r
from core.analysis.reproduce_scores import auc_python, auc_r, brier_python, brier_r
from core.errors import PrognoscopeError
from core.figures.quality import auc_figure, brier_figure, calibration_figure
from core.results.naming import badge, run_words
from core.results.run import Run
from core.serving.exports import predictions_url
from core.serving.visitor import visitor_of
from pages.widgets import state as page
from pages.widgets.data import View, read_predictions
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.frame import loading, show_error
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.who import may

AT_ONCE = 1500
TITLE = "Predicted against observed survival"
BRIER_TITLE, AUC_TITLE = "Brier score of the run and of the null", "AUC at each horizon"


def quality_panel(view: View) -> None:
    """Calibration, Brier score against the Kaplan-Meier null and AUC(t) of the run, for the selected patients."""
    st.header("Can the predictions be trusted?")
    run = view.run
    if run is None:
        state_box(
            "No run of this cohort yet",
            ("Risk groups, calibration and accuracy appear once a model was trained.",
             f"`./run cli train --cohort {view.cohort.name} --model hdmoe`"),
            "slight",
        )  # fmt: skip
        return
    if view.selected.count > AT_ONCE and not _asked(view):
        return
    months = tuple(12 * year for year in page.current().options.survival.years)
    try:
        with loading("Evaluating the run"):
            ids = tuple(str(i) for i in view.cohort.patients.index[view.mask])
            quality = _assessed(run.id, run.created_at, ids, months, view)
    except PrognoscopeError as error:
        show_error(error)
        return
    _charts(quality, run.synthetic)
    numbers_table(quality_table(quality), right=("Patients",))
    for horizon in quality.horizons:
        if horizon.note:
            note(f"{years(horizon.month)}: {horizon.note}.", warn=True)
    note(
        f"Run {run.id}: {run_words(run)}; {quality.badge}. The quality is that of the run's own endpoint.",
    )
    for warning in run.warnings:
        note(f"{warning[:1].upper()}{warning[1:]}.", warn=True)
    _download(run)


def _asked(view: View) -> bool:
    """Whether the reader wants the quality of very many patients, which takes longer than a filter should."""
    st.session_state["evaluate_many"] = page.current().options.evaluate_many
    return st.toggle(
        f"Evaluate the run for these {view.selected.count:,} patients (takes a few seconds at each change)",
        key="evaluate_many", on_change=lambda: page.choose(evaluate_many=st.session_state["evaluate_many"]),
    )  # fmt: skip


@st.cache_resource(scope="session", show_spinner=False, max_entries=8)
def _assessed(
    run_id: str, created_at: str, ids: tuple[str, ...], months: tuple[float, ...], _view: View
) -> ModelQuality:
    run = _view.run
    if run is None:
        raise PrognoscopeError("no run", "this page", "choose a run")
    return assess(run_id, read_predictions(run, _view.workspace), ids, months, run.protocol)


def _charts(quality: ModelQuality, synthetic: bool) -> None:
    slopes = {h.month: h.slope.value for h in quality.horizons if h.calibration is not None}
    integrated = (quality.ibs.value, quality.ibs_null.value)
    with st.container(key="quality"):
        first, second, third = st.columns(3)
    with first:
        figure_block(
            Block(
                "calibration",
                "Predicted against observed survival",
                lambda _: calibration_figure(quality, synthetic),
                lambda: calibration_numbers(quality),
                lambda: calibration_python(TITLE, slopes),
                lambda: calibration_r(TITLE, slopes),
                lambda: quality_behind(quality),
            )
        )
    with second:
        figure_block(
            Block("brier", "Brier score of the run and of the null", lambda _: brier_figure(quality, synthetic),
                  partial(brier_numbers, quality), partial(brier_python, BRIER_TITLE, *integrated),
                  partial(brier_r, BRIER_TITLE, *integrated), partial(brier_behind, quality))
        )  # fmt: skip
    with third:
        figure_block(
            Block("auc", "AUC at each horizon", lambda _: auc_figure(quality, synthetic),
                  partial(auc_numbers, quality), partial(auc_python, AUC_TITLE), partial(auc_r, AUC_TITLE),
                  partial(auc_behind, quality))
        )  # fmt: skip


def calibration_numbers(quality: ModelQuality) -> pd.DataFrame:
    """The drawn points of the calibration figure."""
    parts = [
        pd.DataFrame({"month": h.month, "predicted": h.calibration.predicted, "observed": h.calibration.observed,
                      "low": h.calibration.low, "high": h.calibration.high, "n": h.calibration.n})
        for h in quality.horizons if h.calibration is not None
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def quality_table(quality: ModelQuality) -> pd.DataFrame:
    """One row a horizon."""
    return pd.DataFrame(
        [
            {
                "Horizon": years(h.month), "Patients": h.n,
                "AUC (95 % CI)": interval(h.auc.value, h.auc.low, h.auc.high),
                "Brier, run / null": "not estimable" if h.brier is None else f"{h.brier:.3f} / {h.brier_null:.3f}",
                "Calibration slope (1 is right)": interval(h.slope.value, h.slope.low, h.slope.high),
                "ICI (0 is right)": interval(h.ici.value, None, None, 3),
            }
            for h in quality.horizons
        ]
    )  # fmt: skip


def _download(run: Run) -> None:
    """Link to the run's predictions, signed for this browser and the next minutes."""
    visitor = visitor_of(st.context.cookies)
    if visitor and may(Permission.EXPORT):
        st.link_button(
            f"{badge(run.protocol, False).capitalize()} predictions of the run (CSV)", predictions_url(run.id, visitor)
        )
