import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.datasets import available
from kiso.experiments import gan_mnist


class Judge:
    """Sure of bright images, of the class of their brightest row."""

    def predict_proba(self, images):
        p = np.full((len(images), 10), 0.05)
        p[np.arange(len(images)), images[:, 0].sum(axis=2).argmax(axis=1) % 10] = 0.55
        bright = images.mean(axis=(1, 2, 3)) > 0.5
        p[bright] = np.eye(10)[p[bright].argmax(axis=1)]
        return p


def test_what_the_judge_says():
    images = np.zeros((10, 1, 28, 28))
    images[np.arange(10), 0, np.arange(10)] = 1.0
    assert gan_mnist.told(Judge(), images) == (0.0, pytest.approx(np.log(10)))
    assert gan_mnist.told(Judge(), np.ones((5, 1, 28, 28))) == (1.0, 0.0)


def test_networks_fit_the_images():
    rng = np.random.default_rng(0)
    made = gan_mnist.generator(rng, np.float32)
    assert made.output_shape((gan_mnist.N_LATENT,)) == (1, 28, 28)
    assert gan_mnist.discriminator(rng, np.float32).output_shape((1, 28, 28)) == (1,)


@pytest.mark.skipif(not available("mnist"), reason="MNIST is not at hand")
@pytest.mark.slow
def test_few_steps_make_no_digits():
    outcome = gan_mnist.measure(30, 0)
    assert not outcome.verdict
    assert isinstance(gan_mnist.draw(outcome), Figure)
