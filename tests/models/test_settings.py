"""Settings are refused before any work begins, in words that say what would do."""

from __future__ import annotations

import pytest

from core.errors import PrognoscopeError
from core.models.settings import check_settings
from core.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "epochs = 0 in the settings: give a whole number from 1 on"),
        ({"epochs": True}, "epochs = True"),
        ({"pretrain_epochs": -1}, "give a whole number from 0 on"),
        ({"learning_rate": float("nan")}, "give a number from 0 on"),
        ({"protocol": "kind"}, "give honest or upstream"),
        ({"epoch": 3}, "unknown setting 'epoch'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(PrognoscopeError) as refused:
        check_settings(TrainingConfig, settings, "the settings")
    assert words in str(refused.value)


def test_none_of_the_pre_training_can_be_asked_for() -> None:
    check_settings(TrainingConfig, {"pretrain_epochs": 0, "patch_sample": None}, "the settings")
