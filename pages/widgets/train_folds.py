"""Which folds validate a training: random, whole sites, published, or a reader's own."""

from __future__ import annotations

import streamlit as st

from core.cohort.own_folds import keep_folds, own_folds, own_folds_path
from core.cohort.storage import load_original_ids
from core.errors import PrognoscopeError
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.frame import show_error
from pages.widgets.html import note
from pages.widgets.topbar import bound_select

OWN = "file:"
RANDOM = ("5", "10", "3", "2")
SITE_FOLDS = 5


def originals(view: View) -> dict[str, str]:
    """Pseudonym → original id, for matching only; empty for generated patients."""
    return {} if view.cohort.synthetic else load_original_ids(view.cohort.name, view.workspace)


def folds_spec(view: View) -> str:
    """The chosen folds as the command line names them."""
    chosen = page.current().training.folds
    if chosen.startswith(OWN):
        return str(own_folds_path(chosen.removeprefix(OWN), view.cohort.name, view.workspace))
    return chosen


def _offered(view: View) -> dict[str, str]:
    words = {name: f"{'Published' if name == 'published' else name} folds" for name in view.cohort.folds}
    sites = view.cohort.sites
    if sites is not None and sites.nunique() >= SITE_FOLDS:
        words["site"] = f"{SITE_FOLDS} folds of whole sites ({sites.nunique()} sites)"
    words |= {k: f"{k} random folds" for k in RANDOM}
    return words | {f"{OWN}{name}": f"Own folds ({name})" for name in own_folds(view.cohort.name, view.workspace)}


def folds_choice(view: View) -> None:
    """The folds, and a way to bring one's own."""
    words = _offered(view)
    if page.current().training.folds not in words:
        page.train_with(folds=RANDOM[0])
    bound_select(
        "Folds", list(words), page.current().training.folds, "train_folds", lambda name: page.train_with(folds=name),
        format_func=lambda name: words.get(name, name),
        help="Every patient is tested once, by models that never saw them. Whole sites: to trust. Published: to "
        "compare with papers.",
    )  # fmt: skip
    with st.expander("Bring your own folds"):
        _bring(view)


def _bring(view: View) -> None:
    note("One CSV with the columns id and fold, or splits_0.csv, splits_1.csv … with train and val.")
    files = st.file_uploader(
        "Folds", type="csv", accept_multiple_files=True, key="train_own_folds", label_visibility="collapsed"
    )
    if not st.button("Check and keep", key="train_keep_folds", disabled=not files):
        return
    try:
        name = keep_folds({f.name: f.getvalue() for f in files}, view.cohort, originals(view), view.workspace)
    except PrognoscopeError as error:
        show_error(error)
        return
    page.train_with(folds=f"{OWN}{name}")
    st.rerun()
