"""Maximum likelihood, conjugate Bayes and information measures."""

from ._categorical import Categorical
from ._conjugate import ConjugatePrior, Interval
from ._conjugate_discrete import BetaBernoulli, DirichletCategorical, GammaPoisson
from ._conjugate_normal import NormalInverseGamma, NormalKnownVariance
from ._conjugate_wishart import NormalInverseWishart
from ._gaussian import Gaussian
from ._independent import Bernoulli, Exponential, Poisson
from ._information import (
    cross_entropy,
    empirical,
    empirical_joint,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
)
from ._laplace import Laplace
from ._linear_gaussian import LinearGaussian
from ._maximum_likelihood import InformationWarning, MaximumLikelihood, maximum_likelihood
from ._plots import plot_bayes_and_likelihood
from ._predictive import BetaBinomial, NegativeBinomial, StudentT
from ._protocol import Distribution

__all__ = [
    "Bernoulli",
    "BetaBernoulli",
    "BetaBinomial",
    "Categorical",
    "ConjugatePrior",
    "DirichletCategorical",
    "Distribution",
    "Exponential",
    "GammaPoisson",
    "Gaussian",
    "InformationWarning",
    "Interval",
    "Laplace",
    "LinearGaussian",
    "MaximumLikelihood",
    "NegativeBinomial",
    "NormalInverseGamma",
    "NormalInverseWishart",
    "NormalKnownVariance",
    "Poisson",
    "StudentT",
    "cross_entropy",
    "empirical",
    "empirical_joint",
    "entropy",
    "js_divergence",
    "kl_divergence",
    "maximum_likelihood",
    "mutual_information",
    "plot_bayes_and_likelihood",
]
