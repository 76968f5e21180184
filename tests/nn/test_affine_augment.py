"""Images turned, sheared, scaled and moved at random."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from kiso.nn import RandomAffine, Run


def test_random_affine_is_the_map():
    rng = np.random.default_rng(0)
    x = rng.random((3, 2, 9, 7))
    layer = RandomAffine(20, 0.2, (0.7, 1.1), 1.5, p=0.8)
    y, backward = layer.forward(x, train=Run(5))
    maps = layer.maps(np.random.default_rng(5), 3, (9, 7))
    for n, m in enumerate(maps.reshape(3, 2, 3)):
        for k in range(2):
            padded = np.pad(x[n, k], 20)
            inner = m[:, 2] - m[:, :2] @ [20, 20] + 20
            expected = affine_transform(padded, m[:, :2], inner, order=1)[20:-20, 20:-20]
            np.testing.assert_allclose(y[n, k], expected, atol=1e-12)
    dy = rng.random(y.shape)
    assert (backward(dy)[0] * x).sum() == pytest.approx((dy * y).sum())
    np.testing.assert_array_equal(layer(x), x)
    still = RandomAffine(0, 0, (1, 1), 0, p=1).forward(x, train=Run(0))[0]
    np.testing.assert_array_equal(still, x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rotation": -1}, "rotation=-1"),
        ({"shear": 1}, "shear=1"),
        ({"scale": (0, 1)}, "scale="),
        ({"scale": (2, 1)}, "scale="),
        ({"shift": np.nan}, "shift=nan"),
        ({"p": 1.5}, "p=1.5"),
    ],
)
def test_random_affine_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        RandomAffine(**options)


def test_dtypes_layouts_and_one_image():
    rng = np.random.default_rng(1)
    x = rng.random((4, 6, 5, 2)).transpose(0, 3, 1, 2)  # not contiguous
    y = RandomAffine().forward(x, train=Run(0))[0]
    np.testing.assert_array_equal(
        y, RandomAffine().forward(np.ascontiguousarray(x), train=Run(0))[0]
    )
    single, backward = RandomAffine().forward(x.astype(np.float32), train=Run(0))
    assert single.dtype == np.float32
    assert backward(single)[0].dtype == np.float32
    np.testing.assert_allclose(single, y, atol=1e-5)
    one = RandomAffine(shift=3, p=1).forward(np.ones((1, 1, 1, 1)), train=Run(0))[0]
    assert one.shape == (1, 1, 1, 1)


def test_many_images_in_lanes_are_the_same():
    x = np.random.default_rng(2).random((200, 1, 7, 7))
    layer = RandomAffine()
    together = layer.forward(x, train=Run(4))[0]
    maps = layer.maps(np.random.default_rng(4), 200, (7, 7))
    from kiso.nn.compiled.warp_loops import warp_lane

    alone = np.empty_like(x)
    warp_lane(x, maps, 0, 200, alone)
    np.testing.assert_array_equal(together, alone)
