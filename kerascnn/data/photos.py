"""The two sample photographs of scikit-learn: the embedded images for upscaling."""

from sklearn.datasets import load_sample_image

from kerascnn.data.upscaling import StoredImage, UpscalingData

# Where the training part of the first photograph ends, in its 640 columns
_TRAINING_COLUMNS = 480


def photos():
    """The left of `china.jpg` to train on, its right for validation, `flower.jpg` to test on."""

    def part(name, columns):
        # Decoded as the files of users are: scikit-learn's own decoder is Pillow as well.
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
