"""`one-pixel` on so many images that the standard error of the share is three points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiso.experiments import Experiment

from .one_pixel import draw, measure

if TYPE_CHECKING:
    from kiso.experiments import Outcome

ATTACKED = 280


def run(seed: int) -> Outcome:
    """Attack 280 images."""
    return measure(seed, ATTACKED)


EXPERIMENT = Experiment(
    title="One pixel and a small network for CIFAR-10, 280 images",
    rows=(70,),
    claim="One pixel deceives networks for CIFAR-10 on roughly 68 to 74 % of the images",
    source="Su, Vargas & Sakurai (2019), One pixel attack for fooling deep neural networks",
    run=run,
    draw=draw,
    slow=True,
    needs=("cifar10-part",),
)
