"""The one exception a user reads."""

from __future__ import annotations

import pickle

from core.errors import PrognoscopeError


def test_it_travels_out_of_a_worker_process() -> None:
    """An exception that cannot be rebuilt from its pickle leaves a process pool waiting for ever."""
    error = PrognoscopeError("two outcomes", "table.csv", "keep one")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "two outcomes in table.csv: keep one."
    assert copy.as_json() == {"error": "two outcomes", "where": "table.csv", "fix": "keep one"}
