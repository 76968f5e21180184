"""Write docs/path/rows.md: where each formula of the source notes stands in kiso.

The table below says what each row of the notes' inventory is, on which page of which note, and in
which section of the path it is derived; the experiments and the scenes of the lab know their rows.
"""

from __future__ import annotations

from pathlib import Path

from kiso.experiments import load, names
from kiso.lab import all_scenes
from kiso.lab.server import catalogue

PAGE = Path(__file__).parent / "path" / "rows.md"
HEAD = """# Where each formula of the notes stands

A is the slide deck on *Deep Learning*, sections 5.5 to 5.11 (p: the number of the slide), B the
week of notes on back-propagation, approximation, Higham and Higham and CS229 (L: the line), C the
memo of building blocks. `python docs/list_rows.py` writes this page from the experiments, the
scenes of the lab and its own table of sections.

| row | item | note | section | experiments | lab |
|---|---|---|---|---|---|
"""
# row: (item, place in the notes, chapter#section)
ROWS: dict[int, tuple[str, str, str]] = {
    1: ("Maximum likelihood", "A p3", "likelihood#the-principle"),
    2: ("Maximum likelihood is minimal KL", "A p3",
        "likelihood#maximum-likelihood-is-minimal-kl-divergence"),
    3: ("Consistency, efficiency", "A p3", "likelihood#consistent-and-efficient"),
    4: ("Bayesian regression", "A p4", "bayes#bayesian-linear-regression"),
    5: ("MAP is weight decay", "A p4", "bayes#map-is-weight-decay"),
    6: ("Linear-Gaussian model", "A p5", "linear-regression#the-probabilistic-view"),
    7: ("Sigmoid", "A p6, B L116", "logistic-regression#the-sigmoid"),
    8: ("Logistic regression", "A p7", "logistic-regression#newtons-method"),
    9: ("Many separating planes", "A p8", "svm#many-separating-planes"),
    10: ("Largest margin", "A p9", "svm#the-widest-margin"),
    11: ("Scale of (w, b)", "A p10-11", "svm#the-widest-margin"),
    12: ("Nonlinear map", "A p12", "svm#lifting"),
    13: ("Gravity, linear in logarithms", "A p13", "linear-regression#the-right-features-gravity"),
    14: ("Kernel trick", "A p14", "svm#the-kernel-trick"),
    15: ("PCA", "A p15", "pca#decorrelation"),
    16: ("Clustering", "A p16", "k-means#k-means-and-k-means"),
    17: ("k-means", "A p17", "k-means#assign-move-repeat"),
    18: ("k-means step by step", "A p18", "k-means#assign-move-repeat"),
    19: ("k-means++", "A p19", "k-means#where-to-begin-k-means"),
    20: ("Additive cost", "A p20", "gradient-descent#some-of-the-samples-are-enough"),
    21: ("Full gradient", "A p21", "gradient-descent#some-of-the-samples-are-enough"),
    22: ("Mini-batch", "A p22", "gradient-descent#some-of-the-samples-are-enough"),
    23: ("Cells of the cube", "A p23", "curse-of-dimensionality#the-curse-of-dimensionality"),
    24: ("k nearest neighbours, k = 3", "A p24", "curse-of-dimensionality#k-nearest-neighbours"),
    25: ("Distances concentrate", "A p25", "curse-of-dimensionality#the-curse-of-dimensionality"),
    26: ("Limit of one neighbour", "A", "curse-of-dimensionality#k-nearest-neighbours"),
    27: ("Irrelevant features", "A", "curse-of-dimensionality#k-nearest-neighbours"),
    28: ("Decision tree", "A", "curse-of-dimensionality#decision-trees"),
    29: ("Local constancy", "A", "curse-of-dimensionality#local-constancy-and-what-helps"),
    30: ("Manifold hypothesis", "A", "curse-of-dimensionality#local-constancy-and-what-helps"),
    31: ("Recipe", "A", "curse-of-dimensionality#the-recipe"),
    32: ("Network figure", "B L3, L122-126", "back-propagation#the-network"),
    33: ("Assignment 1: gradient in the input", "B L5-9",
         "back-propagation#the-gradient-of-the-output-in-the-input"),
    34: ("Threshold classifier", "B L15-19", "logistic-regression#one-number-or-one-hot"),
    35: ("One-hot and argmax", "B L21-23", "logistic-regression#one-number-or-one-hot"),
    36: ("Supervised learning", "B L25-27", "linear-regression#overfitting"),
    37: ("Runge assignment", "B L29-33", "approximation#runges-function"),
    38: ("Gaussian maximum likelihood", "B L35-49", "likelihood#the-variance-is-biased"),
    39: ("Squared error from Gaussian noise", "B L51-73",
         "likelihood#squared-errors-come-from-gaussian-noise"),
    40: ("tanh is smooth and odd", "B L75-79", "approximation#tanh-and-its-taylor-coefficients"),
    41: ("x by one neuron", "B L85", "approximation#tanh-and-its-taylor-coefficients"),
    42: ("x³ by two neurons", "B L87-100", "approximation#tanh-and-its-taylor-coefficients"),
    43: ("x² by a shift", "B L102-106", "approximation#tanh-and-its-taylor-coefficients"),
    44: ("Four neurons", "B L108", "approximation#tanh-and-its-taylor-coefficients"),
    45: ("3n + 2 neurons", "B L109", "approximation#tanh-and-its-taylor-coefficients"),
    46: ("Error below ε by small h", "B L114", "approximation#smaller-h-is-not-always-better"),
    47: ("Oil wells", "B L128-130", "higham-higham#the-problem"),
    48: ("23 dimensions, not convex", "B L132", "higham-higham#what-is-to-be-expected"),
    49: ("General setting", "B L136-140", "higham-higham#the-general-setting"),
    50: ("Steepest descent", "B L142-155", "gradient-descent#the-steepest-direction"),
    51: ("Stochastic gradient, with replacement", "B L157-163", "higham-higham#the-problem"),
    52: ("Stochastic gradient, without replacement", "B L157",
         "gradient-descent#some-of-the-samples-are-enough"),
    53: ("Hadamard product", "B L177", "back-propagation#the-network"),
    54: ("Back-propagation (22)", "B L181-187", "back-propagation#the-four-results"),
    55: ("Back-propagation (23)", "B L189-193", "back-propagation#the-four-results"),
    56: ("Back-propagation (24)", "B L195-199", "back-propagation#the-four-results"),
    57: ("Back-propagation (25)", "B L201-205", "back-propagation#the-four-results"),
    58: ("Input blow-up", "B L207", "convolution#convolutional-networks"),
    59: ("Convolution in one dimension", "B L209",
         "convolution#a-convolution-is-a-matrix-with-few-free-numbers"),
    60: ("Pooling", "B L211", "convolution#pooling"),
    61: ("Dropout", "B L213", "dropout#the-right-factor"),
    62: ("ReLU; networks that fit any labels", "B L215", "back-propagation#what-networks-can-fit"),
    63: ("Softmax", "B L218, C L40", "logistic-regression#more-than-two-classes-softmax"),
    64: ("Softmax log loss", "B L221", "logistic-regression#more-than-two-classes-softmax"),
    65: ("CIFAR-10 network", "B L213", "convolution#a-network-on-pictures"),
    66: ("Further reading", "B L223-233", "higham-higham#the-general-setting"),
    67: ("Convergence of stochastic gradient", "B L235", "gradient-descent#where-it-ends"),
    68: ("Linear and nonlinear cascades", "B L237", "convolution#filters-that-nobody-learned"),
    69: ("Stochastic gradient generalises", "B L239", "gradient-descent#where-it-ends"),
    70: ("Tiny perturbations", "B L241", "adversarial#the-fast-gradient-sign-method"),
    71: ("Adversarial patch", "B L243", "adversarial#one-pixel-and-a-patch"),
    72: ("Mathematical survey", "B L245", "higham-higham#the-general-setting"),
    73: ("Random labels", "B L239", "back-propagation#what-networks-can-fit"),
    74: ("Saturation, leaky ReLU", "B L247-253", "back-propagation#saturation-and-dead-units"),
    75: ("Least squares as maximum likelihood", "B L255-281",
         "linear-regression#the-probabilistic-view"),
    76: ("Locally weighted regression", "B L283-291",
         "linear-regression#locally-weighted-regression"),
    77: ("Perceptron", "C L10", "svm#many-separating-planes"),
    78: ("Gradient descent, learning rate", "C L12-20", "gradient-descent#how-long-a-step"),
    79: ("Back-propagation, activations, losses", "C L22-26", "back-propagation#the-four-results"),
    80: ("Batch and mini-batch", "C L28-30", "gradient-descent#some-of-the-samples-are-enough"),
    81: ("Overfitting, regularisation", "C L32-34", "linear-regression#overfitting"),
    82: ("Convolution and pooling", "C L36-38", "convolution#im2col-a-convolution-as-one-product"),
    83: ("No free lunch", "C L44", "curse-of-dimensionality#no-free-lunch"),
    84: ("Affine", "C L46-64", "back-propagation#the-affine-layer-with-a-batch"),
    85: ("im2col", "C L66-84", "convolution#im2col-a-convolution-as-one-product"),
    86: ("col2im", "C L86-104", "convolution#im2col-a-convolution-as-one-product"),
    87: ("KL divergence", "C L106-110", "generative#entropy-cross-entropy-kl"),
    88: ("Entropy", "C L112", "generative#entropy-cross-entropy-kl"),
    89: ("Cross-entropy", "C L114-116", "logistic-regression#more-than-two-classes-softmax"),
    90: ("One-shot learning", "C L118", "one-shot#the-task"),
    91: ("GAN", "C L120-122", "generative#the-game"),
}  # fmt: skip


def title(chapter: str) -> str:
    """Heading of a chapter."""
    page = (PAGE.parent / f"{chapter}.md").read_text("utf-8")
    return next(line for line in page.splitlines() if line.startswith("# "))[2:]


def page() -> str:
    """The whole page."""
    texts = catalogue("en")
    experiments = [load(name) for name in names()]
    lines = []
    for row, (item, place, section) in ROWS.items():
        chapter, _, anchor = section.partition("#")
        found = ", ".join(f"`{e.name}`" for e in experiments if row in e.rows) or "–"
        scenes = ", ".join(texts[f"{s.name}.title"] for s in all_scenes() if row in s.rows) or "–"
        link = f"[{title(chapter)}]({chapter}.md#{anchor})"
        lines.append(f"| {row} | {item} | {place} | {link} | {found} | {scenes} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
