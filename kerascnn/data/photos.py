"""The embedded images for upscaling: the two sample images of scikit-learn."""

from sklearn.datasets import load_sample_image

from kerascnn.data.upscaling import StoredImage, UpscalingData

# Columns of the first image's training part, of 640
_TRAINING_COLUMNS = 480


def photos():
    """Returns parts of `china.jpg` for training and validation, and `flower.jpg` for testing."""

    def part(name, columns):
        # Decoded like user files; scikit-learn also decodes with Pillow.
        image = load_sample_image(name)[:, columns]
        return (StoredImage(name, image.shape[:2], lambda: image),)

    return UpscalingData(
        "photos",
        {
            "train": part("china.jpg", slice(_TRAINING_COLUMNS)),
            "validation": part("china.jpg", slice(_TRAINING_COLUMNS, None)),
            "test": part("flower.jpg", slice(None)),
        },
    )
