"""Attacks on classifiers: small changes of the input that change the answer."""

from kiso.nn import AdversarialTraining

from ._gradient import loss_gradient
from ._one_pixel import one_pixel
from ._patch import PatchResult, PatchState, adversarial_patch, apply_patch, patch_steps
from ._projected import fgsm, pgd
from ._result import AttackResult

__all__ = [
    "AdversarialTraining",
    "AttackResult",
    "PatchResult",
    "PatchState",
    "adversarial_patch",
    "apply_patch",
    "fgsm",
    "loss_gradient",
    "one_pixel",
    "patch_steps",
    "pgd",
]
