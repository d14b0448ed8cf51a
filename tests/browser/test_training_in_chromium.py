"""Train and Compare in a real browser: a training is started, left, found again and compared with another run."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from core.cohort.sample import make_sample_cohort, save_sample
from core.cohort.splits import k_folds
from core.jobs.queue import JobQueue
from core.results.run_store import list_runs, save_run
from core.results.workspace import Workspace
from tests.browser.conftest import Served, application
from tests.browser.waiting import photograph, still
from tests.pages.builders import make_predictions, make_run

pytestmark = pytest.mark.browser

FOLDS = 2
COHORT = make_sample_cohort()[0]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with two runs on the very folds that a training with two random folds uses."""
    folder = tmp_path_factory.mktemp("lab")
    workspace = Workspace(folder / "workspace")
    save_sample(workspace)
    fold = dict(zip(COHORT.ids, k_folds(COHORT.endpoint("OS"), FOLDS).test_fold, strict=True))
    found = make_predictions(COHORT, folds=FOLDS)
    table = found.table.assign(fold=found.table["id"].map(fold))
    for day, model in enumerate(("forest", "cox-clinical"), start=1):
        if model == "cox-clinical":
            table = table.assign(risk=table["risk"].sample(frac=1, random_state=3).to_numpy())
        run = make_run(COHORT, replace(found, table=table), f"{model}-sample-{day}")
        run = replace(run, model=model, folds=f"{FOLDS}-fold", created_at=f"2020-01-0{day}T00:00:00")
        save_run(run, replace(found, table=table), workspace)
    with application(workspace, folder / "server.log") as running:
        yield running
    _end_worker(workspace)


def _end_worker(workspace: Workspace) -> None:
    """The worker outlives the application; these tests end the one they made."""
    path = JobQueue(workspace).path
    if path.is_file():
        with closing(sqlite3.connect(path)) as connection:
            row = connection.execute("SELECT pid FROM worker").fetchone()
        with suppress(ProcessLookupError):
            os.kill(row[0], signal.SIGTERM)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a select box, once the page has been drawn. A first click may only leave the box used before."""
    still(page)
    box, wanted = (
        page.get_by_role("combobox", name=label, exact=True),
        page.get_by_role("option", name=option, exact=True),
    )
    for _ in range(4):
        box.click()
        with suppress(TimeoutError):
            wanted.wait_for(timeout=3_000)
            break
    wanted.click()


def pictures(page: Page, screenshots: Path, name: str) -> None:
    """The whole page at both widths."""
    for width in (1440, 1024):
        photograph(page, screenshots / f"{name}-{width}.png", width)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_training_goes_on_without_the_page_and_its_run_can_be_compared(
    page: Page, lab: Served, screenshots: Path
) -> None:
    before = {run.id for run in list_runs(lab.workspace)}
    page.goto(f"{lab.url}/train")
    panel = page.locator(".st-key-train")
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    choose(page, "Model", "Self-normalising network")
    expect(panel).to_contain_text("--model snn")
    choose(page, "Preset", "Quick look")
    expect(panel).to_contain_text("training.epochs=3")
    choose(page, "Folds", f"{FOLDS} random folds")
    expect(panel).to_contain_text(f"--folds {FOLDS}")
    page.get_by_role("button", name="Start training").dblclick()
    expect(panel.get_by_role("button", name="Cancel")).to_be_visible()
    page.get_by_role("link", name="Survival").click()  # leaving the page is no reason to stop
    expect(page.locator(".st-key-figure_survival")).to_be_visible()
    page.get_by_role("link", name="Train").click()
    expect(panel).to_contain_text("Done in")
    assert len(JobQueue(lab.workspace).jobs()) == 1
    made = {run.id for run in list_runs(lab.workspace)} - before
    assert len(made) == 1
    assert next(iter(made)).startswith("snn-sample")
    expect(panel.locator(".js-plotly-plot")).to_have_count(3)  # no experts, no load to show
    expect(panel).to_contain_text("Harrell C")
    pictures(page, screenshots, "train")
    page.get_by_role("link", name="Compare").click()
    figure = page.locator(".st-key-figure_forest")
    expect(figure).to_contain_text("Harrell C of 2 runs")
    expect(figure).to_contain_text("SNN")
    expect(page.locator(".st-key-compare_numbers")).to_contain_text("SNN minus baseline")


def test_runs_are_compared_on_the_same_patients_and_a_box_shows_who_they_are(
    page: Page, lab: Served, screenshots: Path
) -> None:
    requests: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    page.goto(f"{lab.url}/compare")
    numbers = page.locator(".st-key-compare_numbers")
    expect(numbers).to_contain_text("minus baseline")
    expect(page.get_by_text("of 240 selected")).to_be_visible()
    choose(page, "Metric", "Integrated Brier score")
    expect(page.locator(".st-key-figure_forest")).to_contain_text("lower is better")
    choose(page, "Estimate", "Place of the risk within its fold")
    figure = page.locator(".st-key-figure_agreement")
    expect(figure).to_contain_text("Place of risk within fold")
    still(page)
    box = figure.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=8)
    page.mouse.up()
    expect(page.get_by_role("button", name="Keep only these")).to_be_visible()
    expect(page.locator(".st-key-chips")).to_contain_text("240 of 240 patients selected")
    pictures(page, screenshots, "compare")
    own = ("data:", "blob:", "about:", lab.url, lab.url.replace("http", "ws"))
    assert [url for url in requests if not url.startswith(own)] == []
    assert not any(name in url for url in requests for name in COHORT.ids)
