"""The networks of `lenet-mnist` on 1,000 images: seconds in place of minutes."""

from __future__ import annotations

from functools import partial

from kiso.experiments import Experiment

from .lenet_mnist import PART, draw, measure

EXPERIMENT = Experiment(
    title="A network of LeNet's class on 1,000 images of MNIST and of Fashion-MNIST",
    rows=(66, 82),
    claim="At most 15 % error, 10 % with shifted images, and 70 % of Fashion-MNIST right",
    source="`lenet-mnist`, which see, in a short form; the bounds are kiso's own",
    run=partial(measure, PART),
    draw=draw,
    needs=("mnist", "fashion-mnist"),
)
