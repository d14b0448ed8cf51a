"""A trained model for several cancers, asked about one it has never seen. Nobody gets such an answer unasked.

The new cancer stands for the average of the trained ones (MICE: token, router and norm are their means, and the
specialised expert's answer is the mean of their experts' answers). It can be predicted at once, or trained further on
patients of the new cancer.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from core.errors import PrognoscopeError
from core.models.registry import model_spec
from core.training.neural import FittedNeural


def with_new_cancer(fitted: FittedNeural, name: str, borrow: bool = True) -> FittedNeural:
    """The model with one more cancer.

    Parameters
    ----------
    fitted : FittedNeural
    name : str
        As the patients' inputs call it.
    borrow : bool
        Take the mean answer of the trained specialised experts; otherwise the new cancer gets an expert of its own,
        whose weights begin at the mean of theirs, to be trained.

    Raises
    ------
    PrognoscopeError
        If the model knows the cancer, or knows no cancers at all.
    """
    known = fitted.preparation.groups
    if name in known:
        raise PrognoscopeError(f"{name} among the cancers the model was trained on", "the new cancer", "predict it")
    state = fitted.network.state_with_new_group()
    if state is None or not known:
        raise PrognoscopeError(f"a {fitted.model} that tells no cancers apart", "the new cancer", "use it as it is")
    preparation = replace(fitted.preparation, groups=(*known, name))
    spec = model_spec(fitted.model)
    drawn = torch.get_rng_state()
    network = spec.build(preparation.shape, preparation.modalities, len(fitted.bins), fitted.config)
    torch.set_rng_state(drawn)  # the weights drawn here are all replaced
    network.load_state_dict(dict(state))
    for group in {*fitted.network.borrowed, *([len(known)] if borrow else [])}:
        network.borrow(group)
    return replace(fitted, preparation=preparation, network=network.eval())
