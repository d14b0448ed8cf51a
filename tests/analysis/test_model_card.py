"""The model card: counters, flow, groups and limitations follow from the record; its files are inert and repeatable."""

from __future__ import annotations

import html as html_module
import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from core.analysis.card_source import CardSource
from core.analysis.decision import MODEL, STAGE, decision_of, stage_survival
from core.analysis.model_card import RESEARCH_ONLY, ModelCard, model_card
from core.analysis.patient_sentences import FORBIDDEN
from core.analysis.subgroups import subgroups_of
from core.analysis.tripod import Status, counted
from core.board.model_card_export import FORMATS, card_file
from core.cohort.cohort import Exclusion, Role
from core.cohort.sample import make_sample_cohort
from core.results.own_support import OwnSupport
from core.statistics.kaplan_meier import kaplan_meier, survival_at
from tests.pages.builders import make_large_cohort, make_predictions, make_run

COHORT = make_sample_cohort()[0]
PREDICTIONS = make_predictions(COHORT)
RUN = make_run(COHORT, PREDICTIONS)


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return model_card(CardSource(RUN, COHORT, PREDICTIONS), repeats=40)


def test_the_counter_counts_the_items_that_are_there(card: ModelCard) -> None:
    assert [i.number for i in card.items] == list(range(1, 28))
    counts = counted(card.items)
    assert sum(counts.values()) == 27
    assert counts[Status.EMPTY] == sum(not i.facts for i in card.items)
    assert counts[Status.FILLED] == sum(bool(i.facts) and not i.missing for i in card.items)
    assert card.counter == f"{counts[Status.FILLED]} of 27 TRIPOD+AI items filled, " \
        f"{counts[Status.PART]} in part, {counts[Status.EMPTY]} empty"  # fmt: skip
    assert all(i.facts or i.missing for i in card.items)
    bare = model_card(CardSource(replace(RUN, command=""), replace(COHORT, roles=COHORT.roles), PREDICTIONS), 10)
    with_models = model_card(CardSource(RUN, COHORT, PREDICTIONS, models=3), 10)
    assert bare.items[21].status is Status.EMPTY
    assert with_models.items[21].status is Status.FILLED


def test_the_flow_adds_up_and_names_every_exclusion() -> None:
    cohort = replace(COHORT, exclusions=(Exclusion("no follow-up", 7), Exclusion("twice in the table", 2)))
    ids = PREDICTIONS.ensemble().table["id"]
    table = np.arange(len(ids)) >= 4
    support = OwnSupport(ids.to_frame().assign(supported=table, reason=np.where(table, "", "far"), distance=np.nan))
    run = replace(RUN, excluded=(("none of genomics", 3),), patients=RUN.patients - 3, cohort_hash=cohort.content_hash)
    flow = model_card(CardSource(run, cohort, PREDICTIONS, support=support), 10).flow
    assert flow[0].patients == 249
    assert flow[1].left_out == (("no follow-up", 7), ("twice in the table", 2))
    for before, after in itertools.pairwise(flow[:3]):
        assert before.patients is not None
        assert after.patients == before.patients - sum(n for _, n in after.left_out)
    assert flow[4].left_out[0][1] == 4


def test_groups_are_the_patients_of_the_cohort_and_small_ones_say_so(card: ModelCard) -> None:
    by_variable: dict[str, int] = {}
    for group in card.subgroups:
        by_variable[group.variable] = by_variable.get(group.variable, 0) + group.n
    assert set(by_variable.values()) == {240}
    assert len(by_variable) == 5
    small = [g for g in card.subgroups if g.n < 20]
    assert small
    assert all(g.c.value is None and "too few" in g.note for g in small)
    group = next(g for g in card.subgroups if g.level == "male")
    table = PREDICTIONS.ensemble().table
    men = (COHORT.patients["sex"].reindex(table["id"]) == "male").fillna(False).to_numpy(dtype=bool)
    curve = kaplan_meier(table["time"][men], table["event"][men] == 1)
    assert group.observed.value == survival_at(curve, 36).value
    predicted = PREDICTIONS.ensemble().survival_at(36)[men].mean()
    assert group.difference.value == pytest.approx(predicted - group.observed.value)


def test_a_planted_misjudgement_of_one_sex_is_a_limitation() -> None:
    ids = PREDICTIONS.table["id"]
    men = (COHORT.patients["sex"].reindex(ids) == "male").fillna(False).to_numpy(dtype=bool)
    hopeful = replace(PREDICTIONS, survival=np.where(men[:, None], PREDICTIONS.survival**0.2, PREDICTIONS.survival))
    found = model_card(CardSource(RUN, COHORT, hopeful), 10).limitations
    assert any("male: too hopeful by" in text for text in found)
    assert not any(text.startswith("Sex female") for text in found)


def test_the_stage_rule_never_saw_the_patient() -> None:
    table = PREDICTIONS.ensemble().table
    found, words = stage_survival(COHORT, table, 36.0)
    assert found is not None
    assert "fold by fold" in words
    row = int(np.flatnonzero((COHORT.patients["stage"].reindex(table["id"]) == "A").fillna(False).to_numpy())[0])
    fold = table["fold"].iloc[row]
    train = (table["fold"] != fold) & (COHORT.patients["stage"].reindex(table["id"]) == "A").fillna(False).to_numpy()
    expected = survival_at(kaplan_meier(table["time"][train], table["event"][train] == 1), 36.0).value
    assert found[row] == pytest.approx(expected)
    changed = table.assign(time=np.where(table.index == row, 0.5, table["time"]), event=1)
    again, _ = stage_survival(COHORT, table.assign(time=changed["time"]), 36.0)
    assert again is not None
    assert again[row] == found[row]


def test_without_a_stage_the_decision_curve_stands_beside_all_and_none_alone() -> None:
    plain = replace(COHORT, patients=COHORT.patients.drop(columns="stage"),
                    roles={k: v for k, v in COHORT.roles.items() if k != "stage"})  # fmt: skip
    decision = decision_of(plain, PREDICTIONS, 36.0, 10)
    assert decision.curve is not None
    assert set(decision.curve.rules) == {MODEL}
    assert STAGE not in decision.curve.rules
    assert "no stage" in decision.stage


@pytest.mark.parametrize("kind", list(FORMATS))
def test_files_are_the_same_twice_and_say_research_only(kind: str, card: ModelCard) -> None:
    again = model_card(CardSource(RUN, COHORT, PREDICTIONS), repeats=40)
    assert card_file(card, kind) == card_file(again, kind)
    text = card_file(card, kind).decode()
    assert RESEARCH_ONLY in html_module.unescape(text)
    assert "ynthetic" in text
    if kind == "json":
        value = json.loads(text)
        assert value["tripod_ai"]["counts"]["filled"] == counted(card.items)[Status.FILLED]
        assert value["metrics"]["harrell_c"]["low"] == 0.61
        assert len(value["decision_curve"]["rows"]) == 5 * 31
    if kind == "html":
        assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "<script" not in text
        assert text.count("<svg") == 2


def test_hostile_names_stay_text() -> None:
    evil = "<img src=x onerror=alert(1)>|`*[a](javascript:1)"
    patients = COHORT.patients.assign(site=evil)
    cohort = replace(COHORT, patients=patients, title=evil, warnings=(evil,))
    card = model_card(CardSource(RUN, cohort, PREDICTIONS), 10)
    assert "<img" not in card_file(card, "html").decode()
    markdown = card_file(card, "md").decode()
    assert "<img" not in re.sub(r"\\[<>]", "", markdown)
    assert "[a](" not in markdown
    assert json.loads(card_file(card, "json"))["cohort_title"] == evil


def test_no_sentence_of_the_card_tells_what_to_do(card: ModelCard) -> None:
    said = " ".join([*card.limitations, *(f for i in card.items for f in (*i.facts, *i.missing, i.topic))]).lower()
    said = said.replace("transplant", "")  # the endpoint's own competing event
    assert [w for w in FORBIDDEN if re.search(rf"\b{re.escape(w)}\b", said)] == []


def test_a_large_cohort_names_its_largest_sites_and_joins_the_rest() -> None:
    cohort = make_large_cohort(600)
    cohort = replace(cohort, patients=cohort.patients.assign(site=[f"S{i % 23:02d}" for i in range(600)]))
    groups = subgroups_of(cohort, make_predictions(cohort, seeds=(0,)), 36.0, 20)
    sites = [g for g in groups if g.variable == "Site"]
    assert len(sites) == 9
    assert sites[-1].level == "15 smaller sites"
    assert sum(g.n for g in sites) == 600
    assert cohort.roles["site"] is Role.SITE
