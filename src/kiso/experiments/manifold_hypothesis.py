"""The manifold hypothesis: data of many features lie near a surface of few dimensions.

Around a point of a smooth surface of dimension m the neighbours spread along m directions
and hardly along any other, so the principal components of small neighbourhoods tell m: 1
for a ribbon's edge (a spiral), 2 for a swiss roll, though each needs 3 coordinates. And
images are not spread over their cube: uniform noise is never near a digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import load_digits

from kiso.decomposition import PCA
from kiso.experiments import Check, Experiment, Outcome, at_most
from kiso.neighbors import NearestNeighbors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_ROWS, N_PROBES, K = 4000, 60, 16
N_NOISE = 10_000
VARIANCE = 0.95  # share that the local directions have to explain


def spiral(rng: np.random.Generator) -> Any:
    """A curve in space: dimension 1."""
    t = rng.uniform(1.5 * np.pi, 4.5 * np.pi, N_ROWS)
    return np.stack([t * np.cos(t), t, t * np.sin(t)], axis=1)


def swiss_roll(rng: np.random.Generator) -> Any:
    """A rolled sheet in space: dimension 2."""
    X = spiral(rng)
    X[:, 1] = rng.uniform(0, 21, N_ROWS)
    return X


def cube(rng: np.random.Generator) -> Any:
    """A filled cube: dimension 3."""
    return rng.random((N_ROWS, 3))


def local_dimension(X: Any, rng: np.random.Generator) -> float:
    """Median number of principal components that explain 95 % of a neighbourhood's variance."""
    probes = X[rng.choice(len(X), N_PROBES, replace=False)]
    _, index = NearestNeighbors(n_neighbors=K).fit(X).kneighbors(probes)
    shares = [np.cumsum(PCA().fit(X[rows]).explained_variance_ratio_) for rows in index]
    return float(np.median([1 + np.searchsorted(share, VARIANCE) for share in shares]))


def noise_distances(rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Distance to the nearest digit of uniform noise, and of held-out digits; some noise."""
    images = load_digits().data / 16.0
    order = rng.permutation(len(images))
    search = NearestNeighbors(n_neighbors=1).fit(images[order[300:]])
    noise = rng.random((N_NOISE, images.shape[1]))
    of_digits = search.kneighbors(images[order[:300]])[0].ravel()
    return search.kneighbors(noise)[0].ravel(), of_digits, noise[:3]


def noise_check(of_noise: Any, of_digits: Any) -> Check:
    """No noise image is as near to a digit as the farthest digit is to another."""
    near = int(np.sum(np.asarray(of_noise) <= np.max(of_digits)))
    return Check(f"of {len(of_noise):,} noise images, as near to a digit as digits", "0", near,
                 near == 0)  # fmt: skip


def run(seed: int) -> Outcome:
    """Local dimensions of three sets in space; noise among digits."""
    rng = np.random.default_rng(seed)
    sets = {"spiral": (spiral(rng), 1), "swiss roll": (swiss_roll(rng), 2), "cube": (cube(rng), 3)}
    checks = []
    for name, (X, claimed) in sets.items():
        found = local_dimension(X, rng)
        checks.append(Check(f"local dimension of a {name}", str(claimed), found, found == claimed))
    of_noise, of_digits, images = noise_distances(rng)
    checks.append(noise_check(of_noise, of_digits))
    ratio = float(np.median(of_digits) / of_noise.min())
    checks.append(at_most("median distance of digits / least of noise", 0.6, ratio))
    data = {"roll": sets["swiss roll"][0], "noise": of_noise, "digits": of_digits, "images": images}
    return Outcome(tuple(checks), data)


def draw(outcome: Outcome) -> Figure:
    """The roll; noise images; distances to the nearest digit."""
    from matplotlib.figure import Figure

    data = outcome.data
    figure = Figure(figsize=(12, 4), layout="constrained")
    roll, noise = figure.add_subplot(1, 3, 1, projection="3d"), figure.add_subplot(1, 3, 2)
    distances = figure.add_subplot(1, 3, 3)
    X = data["roll"][:1500]
    roll.scatter(X[:, 0], X[:, 1], X[:, 2], c=np.hypot(X[:, 0], X[:, 2]), s=4)
    roll.set_title("3 coordinates, 2 dimensions")
    noise.imshow(np.hstack([image.reshape(8, 8) for image in data["images"]]), cmap="gray")
    noise.set_axis_off()
    noise.set_title("Uniform noise")
    bins = np.linspace(0, float(np.max(data["noise"])), 60).tolist()
    for name in ("digits", "noise"):
        distances.hist(data[name], bins, density=True, alpha=0.6, label=name)
    distances.set(xlabel="distance to the nearest digit", ylabel="density")
    distances.legend()
    return figure


EXPERIMENT = Experiment(
    title="Data lie near surfaces of few dimensions",
    rows=(30,),
    claim="A swiss roll is locally of dimension 2; uniform noise is never like a digit",
    source="Goodfellow et al. (2016), Deep Learning, section 5.11.3",
    run=run,
    draw=draw,
)
