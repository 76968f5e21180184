"""The networks of `omniglot-networks` on 60 characters of 14 × 14 pixels: seconds for minutes."""

from __future__ import annotations

from functools import partial

from kiso.experiments import Experiment

from .omniglot_networks import PART, draw, measure

EXPERIMENT = Experiment(
    title="Omniglot's one-shot runs by small networks that learned from 60 characters",
    rows=(90,),
    claim="Both have less error than 75 %, and than the nearest pixels",
    source="`omniglot-networks`, which see, in a short form; the bound is kiso's own",
    run=partial(measure, PART),
    draw=draw,
    needs=("omniglot-small", "omniglot-runs"),
)
