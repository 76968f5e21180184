import numpy as np
from matplotlib.figure import Figure

from kiso.experiments import omniglot_hausdorff


def test_verdict(real_data):
    real_data("omniglot/all_runs.zip")
    outcome = omniglot_hausdorff.run(0)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(omniglot_hausdorff.draw(outcome), Figure)


def test_it_can_come_out_false():
    errors = {"hausdorff": np.array([0.39]), "cosine": np.array([0.78]), "euclidean": [0.5]}
    assert not any(check.holds for check in omniglot_hausdorff.checks_of(errors))
