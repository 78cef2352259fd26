"""Weights averaged over training: they are what is exported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["AveragedWeights", "with_weights"]

NetT = TypeVar("NetT", bound=nn.Module)


class AveragedWeights:
    """Exponential moving average of a network's weights.

    Parameters
    ----------
    net : nn.Module
        The network.
    decay : float
        Share that stays at each step, 0 to 1. Early on it is smaller, (1 + n) / (10 + n) after n steps, so that the
        first weights are soon forgotten.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self.n_steps = 0
        self.weights = {name: value.detach().clone() for name, value in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take the network's weights after a step."""
        share = min(self.decay, (1 + self.n_steps) / (10 + self.n_steps))
        self.n_steps += 1
        for name, value in net.state_dict().items():
            self.weights[name].lerp_(value, 1.0 - share)

    def state(self) -> dict[str, Any]:
        """Return what `load` takes."""
        return {"decay": self.decay, "n_steps": self.n_steps, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from an earlier state.

        Parameters
        ----------
        state : dict
            From `state`.
        """
        self.n_steps = int(state["n_steps"])
        for name, value in self.weights.items():
            found: Tensor = state["weights"][name]
            value.copy_(found)


def with_weights(net: NetT, weights: Mapping[str, Tensor]) -> NetT:
    """Give a network weights, and make it ready to be asked.

    Parameters
    ----------
    net : nn.Module
        The network.
    weights : mapping of str to Tensor
        Weights by name, such as ``state["average"]["weights"]`` of a checkpoint.

    Returns
    -------
    nn.Module
        The same network.
    """
    net.load_state_dict(dict(weights))
    return net.eval()
