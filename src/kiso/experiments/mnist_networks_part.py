"""The three networks of `mnist-networks` on a tenth of MNIST: seconds in place of minutes.

With a tenth of the images they err several times as often as published; that the larger
networks do better than the small one, though both fit all that they are given, shows already.
"""

from __future__ import annotations

from functools import partial

from kiso.experiments import Experiment

from .mnist_networks import PART, draw, measure

EXPERIMENT = Experiment(
    title="MNIST, the first 6,000 images: networks of 30, of 300 and 100, and of 800 units",
    rows=(66,),
    claim="On a tenth of the images 30 units err on at most 12 %, 300-100 on at most 10.5 %, "
    "800 on at most 9.5 %",
    source="`mnist-networks`, which see, in a short form; the bounds are kiso's own",
    run=partial(measure, PART),
    draw=draw,
    needs=("mnist",),
)
