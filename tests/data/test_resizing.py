import numpy as np
import pytest
import tensorflow as tf

from kerascnn.backend.portable import portable_graphs
from kerascnn.data.pixels import prepare, rescale
from kerascnn.data.resizing import resize_by_products


@pytest.mark.parametrize("size", [(28, 28), (5, 71), (40, 33), (1, 1)])
def test_it_is_tensorflows_antialiased_interpolation(size):
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 33, 3)).astype(np.uint8)
    expected = tf.image.resize(images, size, antialias=True)
    np.testing.assert_allclose(resize_by_products(images, size), expected, atol=1e-3)
    np.testing.assert_allclose(resize_by_products(images[0], size), expected[0], atol=1e-3)


def test_graphs_for_other_runtimes_take_it():
    images = np.random.default_rng(0).integers(0, 256, (1, 31, 50, 1)).astype(np.uint8)

    def both(images):
        return prepare(images, (28, 20)), rescale(images, 0.5)

    found = []
    for plain in (False, True):
        with portable_graphs(plain=plain):
            function = tf.function(both).get_concrete_function(
                tf.TensorSpec((None, None, None, 1), tf.uint8)
            )
        operations = {node.op for node in function.graph.as_graph_def().node}
        assert ("ScaleAndTranslate" in operations) is not plain
        found.append(function(tf.constant(images)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
