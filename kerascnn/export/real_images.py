"""Real images that are always available: the images of scikit-learn."""

from sklearn.datasets import load_sample_image

from kerascnn.data.digits import digit_images


def real_images():
    """Returns three handwritten digits of 8x8 pixels and parts of two photos, as uint8 arrays."""
    temple, flower = (load_sample_image(name) for name in ("china.jpg", "flower.jpg"))
    return [*digit_images()[:3], temple[100:300, 200:500], flower[50:351, 120:361]]
