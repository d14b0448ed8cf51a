"""What sets one group of patients apart: volcano and table, with effect sizes and the false discovery rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.phenotypes import Phenotypes
from core.analysis.profile import LEVEL, Profile, profile
from core.analysis.reproduce_interaction import volcano_r
from core.analysis.reproduce_plots import plot_code
from core.analysis.waterfall import value_name
from core.arrays import BoolArray, IntArray
from core.figures.volcano import volcano_figure
from core.results.image_means import ImageMeans
from core.results.routing_record import RoutingRecord
from pages.widgets.data import View
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.frame import loading
from pages.widgets.html import note, state_box
from pages.widgets.image_features import image_features, images_panel

ONE = "phenotype_one"
SHOWN = 12
AXIS = "effect (rank-biserial)"


def profile_panel(view: View, record: RoutingRecord, found: Phenotypes) -> None:
    """One group against all others of the selected patients."""
    st.subheader("What sets a group apart")
    if len(found.names) < 2:
        state_box("Only one group", ("There is nothing to compare it with.",), "slight")
        return
    codes = _codes(view, record, found)
    here = sorted({int(c) for c in codes[view.mask] if c >= 0})
    offered = here if len(here) == 1 else list(range(len(found.names)))
    group = st.selectbox("Group", offered, key=ONE, format_func=lambda g: found.names[g], width=320)
    inside, outside = (codes == group) & view.mask, (codes >= 0) & (codes != group)
    if len(here) == 1:
        note("The selection holds this group alone: it is compared with all other patients of the run.")
    else:
        outside = outside & view.mask
    with loading("Comparing"):
        images = image_features(view)
        result = _profiled(str(view.workspace.root), view.cohort.content_hash, inside.tobytes(), outside.tobytes(),
                           images.made, view, inside, outside, images.means)  # fmt: skip
    if result.reason:
        state_box("Not compared", (f"{result.reason[:1].upper()}{result.reason[1:]}.",), "slight")
        return
    name = found.names[int(group)]
    if not found.stable(int(group)):
        note("Other seeds do not find this group again: what sets it apart may be chance of one training.", warn=True)
    figure_block(
        Block("phenotype-profile", f"Effects and p-values of {len(result.table)} columns, genes and image features.",
              lambda _: volcano_figure(result, name, "all other groups", view.cohort.synthetic),
              lambda: result.table,
              lambda: plot_code("volcano", f"What sets {name} apart", AXIS),
              lambda: volcano_r(f"What sets {name} apart", AXIS))
    )  # fmt: skip
    _table(result)
    images_panel(view, images)


def _codes(view: View, record: RoutingRecord, found: Phenotypes) -> IntArray:
    """(n,) the group of every patient of the cohort, −1 for one the run did not judge."""
    member = dict(zip(record.ids, found.member.tolist(), strict=True))
    return np.array([member.get(i, -1) for i in view.cohort.ids], dtype=np.int64)


@st.cache_resource(scope="session", show_spinner=False, max_entries=8)
def _profiled(
    root: str, cohort: str, inside: bytes, outside: bytes, made: str,
    _view: View, _inside: BoolArray, _outside: BoolArray, _images: tuple[ImageMeans, ...],
) -> Profile:  # fmt: skip
    found = profile(_view.cohort, _inside, _outside, _images)
    if len(found.table):
        genes = found.table["kind"] == "gene"
        named = found.table["name"].where(~genes, found.table["name"].map(value_name))
        return Profile(found.table.assign(name=named), found.inside, found.outside, found.reason)
    return found


def _small(p: float) -> str:
    """``"< 0.001"``, ``"0.032"``: the exact number is in the figure's CSV."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _table(result: Profile) -> None:
    table = result.table.head(SHOWN)
    st.dataframe(
        pd.DataFrame(
            {
                "What": table["name"], "Kind": table["kind"], "Effect": table["effect"].round(2),
                "In the group": table["inside"].map("{:.3g}".format),
                "In the others": table["outside"].map("{:.3g}".format),
                "p": table["p"].map(_small), "q": table["q"].map(_small),
            }
        ),
        hide_index=True, key="profile_table", column_config={"Effect": st.column_config.NumberColumn(format="%.2f")},
    )  # fmt: skip
    sure = int((result.table["q"] < LEVEL).sum())
    note(f"The {len(table)} smallest p of {len(result.table):,}; {sure:,} with q < 0.05 (Benjamini-Hochberg over all). "
         "Medians, or shares of a category’s level. Markers were never given to the model.")  # fmt: skip
