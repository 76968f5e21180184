"""PCA turns the axes so that the coordinates are uncorrelated: Var[z] = Σ²/(m − 1).

With X (m rows, centred) = U Σ Vᵀ and z = Vᵀ x:

    Var[z] = Zᵀ Z/(m − 1) = Vᵀ Xᵀ X V/(m − 1) = Σ²/(m − 1),

a diagonal matrix. The same Σ comes from the singular values of X and from the eigenvalues
of its covariance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.decomposition import PCA, IncrementalPCA
from kiso.experiments import Check, Experiment, Outcome, at_most

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS, COLUMNS = 2000, 6
TOLERANCE = 1e-12


def off_diagonal(covariance: Any) -> float:
    """Largest entry off the diagonal, relative to the largest on it."""
    diagonal = np.diag(np.diag(covariance))
    return float(np.abs(covariance - diagonal).max() / diagonal.max())


def measure(X: Any, Z: Any, model: PCA) -> tuple[Check, ...]:
    """The claims about data, projections, and the model that made them."""
    variance = np.cov(Z.T)
    expected = model.singular_values_**2 / (len(X) - 1)
    eigenvalues = np.linalg.eigvalsh(np.cov(X.T))[::-1]
    spread = float(np.trace(np.cov(X.T)))
    return (
        at_most("off-diagonals of Var[z], relative", TOLERANCE, off_diagonal(variance)),
        at_most(
            "Var[z] − Σ²/(m − 1), relative",
            TOLERANCE,
            float(np.abs(np.diag(variance) - expected).max() / expected.max()),
        ),
        at_most(
            "explained variances − Σ²/(m − 1), relative",
            TOLERANCE,
            float(np.abs(model.explained_variance_ - expected).max() / expected.max()),
        ),
        at_most(
            "eigenvalues of Var[x] − Σ²/(m − 1), relative",
            TOLERANCE,
            float(np.abs(eigenvalues - expected).max() / expected.max()),
        ),
        at_most(
            "total variance, before − after, relative",
            TOLERANCE,
            abs(float(np.trace(variance)) / spread - 1),
        ),
    )


def run(seed: int) -> Outcome:
    """Draw correlated rows, project them by the singular value decomposition, and measure."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((COLUMNS, COLUMNS)) * np.geomspace(3, 0.3, COLUMNS)
    X = rng.standard_normal((ROWS, COLUMNS)) @ mixing.T + rng.uniform(-5, 5, COLUMNS)
    model = PCA(svd_solver="full").fit(X)
    Z = model.transform(X)
    pieces = IncrementalPCA()
    for piece in np.array_split(X, 10):
        pieces.partial_fit(piece)
    apart = np.abs(pieces.explained_variance_ - model.explained_variance_).max()
    from_pieces = at_most(
        "variances from ten pieces of the data, relative",
        TOLERANCE,
        float(apart / model.explained_variance_.max()),
    )
    before = off_diagonal(np.cov(X.T))
    data = {"X": X, "Z": Z, "components": model.components_, "mean": model.mean_}
    return Outcome(
        (*measure(X, Z, model), from_pieces),
        data,
        remark=f"Before the turn the largest off-diagonal is {before:.2f} of the largest variance.",
    )


def draw(outcome: Outcome) -> Figure:
    """The first two columns before and after, and both correlation matrices."""
    from matplotlib.figure import Figure

    X, Z = outcome.data["X"], outcome.data["Z"]
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(2, 2)
    for column, (name, A) in enumerate({"x": X, "z = Vᵀ(x − x̄)": Z}.items()):
        scatter, matrix = axes[0, column], axes[1, column]
        scatter.plot(A[:, 0], A[:, 1], ".", ms=2, alpha=0.5, color=f"C{column}")
        scatter.set(title=name, xlabel="first", ylabel="second", aspect="equal")
        image = matrix.imshow(np.corrcoef(A.T), vmin=-1, vmax=1, cmap="RdBu_r")
        matrix.set(title=f"correlations of {name}", xticks=[], yticks=[])
    figure.colorbar(image, ax=axes[1, :], shrink=0.8)
    return figure


EXPERIMENT = Experiment(
    title="Principal components are uncorrelated",
    rows=(15,),
    claim="z = Vᵀx has the variance Σ²/(m − 1): off-diagonals below 1e-12 of the largest variance",
    source="Goodfellow et al. (2016), Deep Learning, section 5.8.1, equations 5.86 to 5.91",
    run=run,
    draw=draw,
)
