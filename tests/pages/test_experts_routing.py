"""The routing tabs of the Experts page: nothing read yet, read, matched and unmatched experts, a group selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.phenotypes import By, PhenotypeChoice, make_phenotypes
from core.cohort.sample import make_sample_cohort
from core.cohort.selection import IdsFilter, Selection
from core.jobs.queue import JobQueue
from core.results.feature_records import EncodedModality, FeatureRecord, save_record
from core.results.image_means import ImageMeans, save_image_means
from core.results.routing_record import save_routing
from core.results.workspace import Workspace
from pages.widgets.figure_block import chart_key
from pages.widgets.state import KEY
from tests.pages.builders import make_predictions
from tests.pages.routings import make_routing

COHORT = make_sample_cohort()[0]
TABS = ("Routing", "Phenotypes", "Map", "Switch off")


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in [*test.get("html"), *test.markdown])


@pytest.fixture
def tab(filled: Workspace, open_page: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Open a tab, after storing a record with ``changes`` unless ``stored`` is false."""

    def opened(name: str, stored: bool = True, **changes: Any) -> AppTest:
        if stored:
            save_routing(make_routing(COHORT, make_predictions(COHORT), **changes), filled)
        test = open_page("experts")
        test.session_state["experts_tab"] = name
        return test.run()

    return opened


@pytest.mark.parametrize("name", TABS)
def test_nothing_read_yet_says_what_it_would_show_and_starts_one_job(
    tab: Callable[..., AppTest], name: str, filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_: None)
    test = tab(name, stored=False)
    assert "The routing of this run was not read yet" in html(test)
    assert not test.get("plotly_chart")
    test.button(key="start_routing").click().run()
    assert [(j.task, dict(j.arguments)) for j in JobQueue(filled).jobs()] == [("routing", {"run": "hdmoe-1"})]
    assert "start_routing" not in {b.key for b in test.button}


@pytest.mark.parametrize(("name", "charts"), [("Routing", 3), ("Phenotypes", 2), ("Map", 1), ("Switch off", 2)])
def test_every_tab_draws_its_figures(tab: Callable[..., AppTest], name: str, charts: int) -> None:
    test = tab(name)
    assert not test.exception
    assert "Something went wrong" not in html(test)
    assert len(test.get("plotly_chart")) == charts


def test_experts_that_do_not_match_are_shown_model_by_model(tab: Callable[..., AppTest]) -> None:
    test = tab("Routing")
    assert str(test.selectbox(key="routing_models").options[0]).startswith("one model: fold 1")
    assert "shown model by model" in html(test)
    test.selectbox(key="routing_level").select("level 2").run()
    assert "mean of 2 seeds" in test.selectbox(key="routing_models").options
    record = make_routing(COHORT, make_predictions(COHORT))
    matched = {"level 2": record.levels["level 2"]}
    test = tab("Routing", levels=matched)
    assert test.selectbox(key="routing_models").options[0] == "mean of 2 seeds"
    assert "shown model by model" not in html(test)


def test_stability_stands_beside_the_curves_and_one_click_selects_a_group(tab: Callable[..., AppTest]) -> None:
    test = tab("Phenotypes")
    assert test.selectbox(key="phenotype_by").value == "dominant expert"
    assert "Other seeds find the same groups." in html(test)
    test.selectbox(key="phenotype_level").select("level 1 · genomics").run()
    assert "the groups mix what does not belong together. All are grey." in html(test)
    spec = test.get("plotly_chart")[0].proto.spec
    assert "#0072B2" not in spec
    test.selectbox(key="phenotype_level").select("level 2").run()
    assert "#0072B2" in test.get("plotly_chart")[0].proto.spec
    test.button(key="phenotype_0").click().run()
    chosen = test.session_state[KEY].state.selection.filters
    assert [type(f) for f in chosen] == [IdsFilter]
    assert chosen[0].label == "phenotype: expert 1"
    assert list(test.selectbox(key="phenotype_one").options) == ["expert 1"]
    assert "it is compared with all other patients of the run" in html(test)
    assert "Not compared" not in html(test)
    offered = test.selectbox(key="open_patient_phenotype").options
    assert 0 < len(offered) <= len(chosen[0].ids)
    assert not test.exception


def test_slide_and_scan_features_stand_beside_genes_or_say_why_not(
    tab: Callable[..., AppTest], filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_: None)
    keys = {i: f"key-{i}" for i in COHORT.ids}
    slides = EncodedModality("colour-texture-nuclei", 1, {}, 2, ("nuclei a mm²", "eosin mean"), keys)
    scans = EncodedModality("monai-small", 1, {}, 64, (), keys)
    save_record(FeatureRecord(COHORT.name, {"slides": slides, "volumes": scans}), filled)
    test = tab("Phenotypes")
    assert "Slides and scans are not in this comparison yet" in html(test)
    assert "monai-small, whose 64 numbers have no names" in html(test)
    test.button(key="start_image-means").click().run()
    job = JobQueue(filled).jobs()[-1]
    assert (job.task, dict(job.arguments)) == ("image-means", {"cohort": COHORT.name, "run": "hdmoe-1"})

    record = make_routing(COHORT, make_predictions(COHORT))
    members = make_phenotypes(record, PhenotypeChoice(By.DOMINANT, "level 2")).member
    high = {i: float(m == 0) for i, m in zip(record.ids, members, strict=True)}
    values = np.random.default_rng(0).normal(size=(len(COHORT), 2))
    values[:, 0] += [4 * high.get(i, 0.0) for i in COHORT.ids]
    means = ImageMeans(COHORT.name, "slides", slides.encoder, slides.columns, COHORT.ids, values)
    save_image_means(means, slides, filled)
    test = tab("Phenotypes", stored=False)
    assert not test.exception
    table = next(d.value for d in test.dataframe if "What" in d.value.columns)
    assert table.loc[0, "What"] == "nuclei a mm²"
    assert table.loc[0, "Kind"] == "slide feature"
    assert float(table.loc[0, "Effect"]) > 0.9
    assert "the mean over a patient’s patches of the slides, as colour-texture-nuclei measures them" in html(test)
    assert "image features" in " ".join(c.proto.spec for c in test.get("plotly_chart"))
    assert "start_image-means" not in {b.key for b in test.button}


def test_a_clicked_patient_is_chosen_for_all_pages(tab: Callable[..., AppTest]) -> None:
    test = tab("Switch off")
    assert "Nobody chosen" in html(test)
    patient, key = COHORT.ids[30], chart_key("switch_modalities", ("", Selection()))
    assert key in test.session_state
    test.session_state[key] = {"selection": {"points": [{"customdata": [patient]}]}}
    test.run()
    assert test.session_state[KEY].state.patient == patient
    assert f"Patient {patient}: estimated 3-year survival" in html(test)


def test_a_model_without_experts_says_so(tab: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.widgets.experts_record.ROUTED", ())
    assert "has no experts" in html(tab("Routing", stored=False))
