"""A workspace with the sample cohort and a run, and a way to open a page on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.results.workspace import Workspace
from tests.figures.readable import every_figure_is_readable
from tests.pages.builders import page, save_sample_run

__all__ = ["every_figure_is_readable"]


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """The sample cohort with one run."""
    save_sample_run(workspace)
    return workspace


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Run a page once; keyword ``view`` puts an id into the address."""

    def run(name: str, **address: Any) -> AppTest:
        test = AppTest.from_file(str(page(name)), default_timeout=30)
        for key, value in address.items():
            test.query_params[key] = value
        return test.run()

    return run
