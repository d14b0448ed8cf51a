"""The Evidence page: its states, and that what it shows is the card made from the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from streamlit.testing.v1 import AppTest

from core.analysis.card_source import read_source
from core.analysis.model_card import model_card
from core.cohort.sample import save_sample
from core.results.run_store import delete_run, save_run
from core.results.workspace import Workspace
from tests.pages.builders import make_predictions, make_run


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


def test_without_a_cohort_and_without_a_run_it_says_what_to_do(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    assert "No cohort yet" in html(open_page("evidence"))
    save_sample(workspace)
    test = open_page("evidence")
    assert "No run of this cohort yet" in html(test)
    assert "go_train" in {b.key for b in test.button}


def test_the_card_stands_on_the_page_with_its_counter_and_its_files(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("evidence")
    assert not test.exception
    text = html(test)
    card = model_card(read_source("hdmoe-1", filled))
    assert f"{card.counter}." in text
    assert text.count("<tr><td>") >= 27
    for sentence in card.limitations:
        assert sentence.replace("'", "&#x27;") in text
    assert len(test.get("plotly_chart")) == 5
    assert {b.label for b in test.get("download_button")} >= {"Card as HTML", "Card as Markdown", "Card as JSON"}
    assert "Synthetic" in text


def test_an_upstream_run_is_called_optimistic_also_beside_the_honest_one(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    cohort = save_sample(filled)
    predictions = make_predictions(cohort)
    run = replace(make_run(cohort, predictions, "hdmoe-2"), protocol="upstream", created_at="2026-02-02T00:00:00")
    save_run(run, predictions, filled)
    text = html(open_page("evidence"))
    assert "Every number on this card is too good" in text
    assert "Drawn folds (5-fold), upstream protocol: optimistic (this card)" in text
    assert "Drawn folds (5-fold)</td>" in text
    delete_run("hdmoe-2", filled)
    assert "too good" not in html(open_page("evidence"))


def test_a_run_with_few_events_has_a_card_that_says_what_cannot_be_estimated(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    cohort = save_sample(filled)
    whole = make_predictions(cohort, seeds=(0,))
    table = whole.table.assign(event=0)
    table.loc[:2, "event"] = 1
    predictions = replace(whole, table=table)
    run = replace(make_run(cohort, predictions, "hdmoe-3"), created_at="2026-03-03T00:00:00")
    save_run(run, predictions, filled)
    test = open_page("evidence")
    assert not test.exception
    text = html(test)
    assert "No figures:" in text
    assert "No decision curve:" in text


def test_predictions_that_were_altered_are_told_and_no_card_is_made(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    with (filled.run("hdmoe-1") / "predictions.parquet").open("ab") as stream:
        stream.write(b"x")
    test = open_page("evidence")
    assert not test.exception
    assert "altered after it was written" in html(test)
    assert "TRIPOD" not in html(test)
