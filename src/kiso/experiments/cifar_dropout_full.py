"""`cifar-dropout` by the full recipe: all images at hand, 45 epochs; hours on two cores."""

from __future__ import annotations

from functools import partial

from kiso.experiments import Experiment

from .cifar_dropout import FULL, draw, measure

EXPERIMENT = Experiment(
    title="CIFAR-10 by five convolutions, 45 epochs, with and without dropout",
    rows=(61, 65),
    claim="Success 80.1 % without dropout and 81.1 % with it",
    source="Higham & Higham (2019), section 7",
    run=partial(measure, FULL),
    draw=draw,
    slow=True,
    needs=("cifar10",),
)
