"""`adversarial-training` on all of MNIST: minutes."""

from __future__ import annotations

from functools import partial

from kiso.experiments import Experiment

from .adversarial_training import FULL, draw, measure

EXPERIMENT = Experiment(
    title="Adversarial training on all of MNIST",
    rows=(70,),
    claim="Learning from FGSM examples makes the error on them fall to a quarter at most",
    source="`adversarial-training`, which see, in its long form",
    run=partial(measure, FULL),
    draw=draw,
    slow=True,
    needs=("mnist",),
)
