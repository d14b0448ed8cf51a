"""The decomposition on games whose values are known in closed form."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.explain.coalitions import coalitions, joined_coalitions, shapley_values
from core.explain.cross_check import gradient_explainer
from core.explain.estimate import Player
from core.explain.expected_gradients import share_out


class Game(nn.Module):
    """Stands in for a patient's estimate: any function of a vector and of one number a bag."""

    def __init__(self, function, width: int, bags: int, draws: int = 12) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(5)
        self.function = function
        self.own = torch.randn(1, width, generator=random, dtype=torch.float64)
        self.others = torch.randn(draws, width, generator=random, dtype=torch.float64)
        self.worth = torch.randn(draws + 1, max(1, bags), generator=random, dtype=torch.float64)
        self.bag_modalities = (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS)[:bags]

    def forward(self, vector: Tensor, bags: Tensor) -> Tensor:
        numbers = (
            torch.stack([self.worth[bags[:, i].long(), i] for i in range(bags.shape[1])], dim=1)
            if bags.shape[1]
            else bags
        )
        return self.function(vector, numbers)[:, None]

    @torch.no_grad()
    def at(self, vector: Tensor, bags: Tensor) -> Tensor:
        return self(vector, bags)[:, 0]


def players(width: int) -> tuple[Player, ...]:
    return tuple(Player(f"x{i}", Modality.GENOMICS, (i,)) for i in range(width))


def test_shapley_values_are_the_mean_over_all_orders() -> None:
    random = np.random.default_rng(0)
    worth = random.normal(size=(16, 3))
    expected = np.zeros((4, 3))
    for order in permutations(range(4)):
        held = 0
        for player in order:
            expected[player] += (worth[held | (1 << player)] - worth[held]) / 24
            held |= 1 << player
    assert np.allclose(shapley_values(worth), expected, atol=1e-12)


def test_drawn_coalitions_come_as_often_as_a_player_meets_them() -> None:
    drawn = joined_coalitions(2, 600, np.random.default_rng(0))
    for members in coalitions(2):
        share = (drawn == members).all(axis=1).mean()
        assert share == pytest.approx({0: 1 / 3, 1: 1 / 6, 2: 1 / 3}[int(members.sum())], abs=0.005)


def test_a_linear_estimate_gives_weight_times_distance_from_the_mean() -> None:
    weights = torch.tensor([2.0, -1.0, 0.0, 3.0], dtype=torch.float64)
    game = Game(lambda v, n: v @ weights + 4 * n[:, 0] - n[:, 1], 4, 2)
    found = share_out(game, players(4))
    expected = weights * (game.own[0] - game.others.mean(dim=0))
    assert np.allclose(found.values.mean(axis=0), expected.numpy(), atol=1e-12)
    assert found.values.mean(axis=0)[2] == 0  # the dummy
    bags = torch.tensor([4.0, -1.0]) * (game.worth[0] - game.worth[1:].mean(dim=0))
    assert np.allclose(found.bags.mean(axis=0), bags.numpy(), atol=1e-12)
    assert abs(found.switched) < 1e-12


def test_symmetric_values_share_alike_and_an_interaction_is_halved() -> None:
    game = Game(lambda v, n: (v[:, 0] + v[:, 1]) ** 3 * n[:, 0], 2, 1)
    game.own[:, 1], game.others[:, 1] = game.own[:, 0], game.others[:, 0]
    found = share_out(game, players(2))
    mean = found.values.mean(axis=0)
    assert mean[0] == pytest.approx(mean[1], abs=1e-9)
    mine, others = (game.own[0, 0] * 2) ** 3, (game.others[:, 0] * 2) ** 3
    bag, bags = game.worth[0, 0], game.worth[1:, 0]
    half = ((mine - others) * bags + (mine - others) * bag) / 2
    assert mean.sum() == pytest.approx(float(half.mean()), abs=1e-9)


@pytest.mark.parametrize("bags", [0, 1, 2, 3])
def test_everything_adds_up_with_and_without_bags(bags: int) -> None:
    def function(v: Tensor, n: Tensor) -> Tensor:
        return torch.tanh(v[:, 0] * v[:, 1]) + (v[:, 2] > 0.3) * 2.0 + torch.sin(n.sum(dim=1)) * v[:, 0]

    game = Game(function, 3, bags, draws=40)
    found = share_out(game, players(3), steps=16)
    total = found.baseline + found.joined.mean(axis=0).sum()
    assert total == pytest.approx(found.prediction, abs=1e-9)
    for one in range(40):  # against every background patient, not only on average
        assert found.worth[0, one] + found.joined[one].sum() == pytest.approx(found.prediction, abs=1e-9)


def test_a_step_without_a_gradient_is_reported_as_switched() -> None:
    game = Game(lambda v, n: 5.0 * (v[:, 0] > v[:, 1]) + 0.1 * v[:, 0], 2, 0, draws=40)
    found = share_out(game, players(2))
    smooth = 0.1 * float(game.own[0, 0] - game.others[:, 0].mean())
    assert found.switched == pytest.approx(found.prediction - found.baseline - smooth, abs=1e-9)


def test_shap_agrees_where_there_are_many_inputs_and_bags() -> None:
    torch.manual_seed(0)
    weights = torch.randn(30, dtype=torch.float64)
    game = Game(lambda v, n: torch.tanh(v.double() @ weights / 4) * (1 + 0.1 * n[:, 0]), 30, 1, draws=50)
    mine = share_out(game, players(30)).values.mean(axis=0)
    theirs = gradient_explainer(game, players(30), samples=2000)
    assert np.corrcoef(mine, theirs)[0, 1] > 0.99


def test_players_of_a_category_are_summed() -> None:
    weights = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)
    game = Game(lambda v, n: v @ weights, 3, 0)
    found = share_out(game, (Player("a", Modality.CLINICAL, (1,)), Player("b", Modality.CLINICAL, (0, 2))))
    each = (weights * (game.own[0] - game.others.mean(dim=0))).numpy()
    assert np.allclose(found.values.mean(axis=0), [each[1], each[0] + each[2]])


def test_more_coalitions_than_players_need_none() -> None:
    """k players have 2^k coalitions, each once."""
    rows = {tuple(r) for r in coalitions(3)}
    assert rows == {tuple(i in c for i in range(3)) for k in range(4) for c in combinations(range(3), k)}
