"""Classes of published datasets whose folders do not name them."""

# Everingham et al., 2015: https://doi.org/10.1007/s11263-014-0733-5
VOC = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)

# The color of the border between objects, which is not scored
VOC_BORDER = 0xE0E0C0

# Cordts et al., 2016, https://arxiv.org/abs/1604.01685: `{id in a mask: train id}`
CITYSCAPES = (
    "road",
    "sidewalk",
    "building",
    "wall",
    "fence",
    "pole",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
)
CITYSCAPES_IDS = dict(
    zip(
        (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33),
        range(19),
        strict=True,
    )
)


def voc_color(number):
    """Returns the color of a class in the palette of Pascal VOC, 0xrrggbb."""
    red = green = blue = 0
    for bit in range(8):
        red |= (number >> (3 * bit) & 1) << (7 - bit)
        green |= (number >> (3 * bit + 1) & 1) << (7 - bit)
        blue |= (number >> (3 * bit + 2) & 1) << (7 - bit)
    return red << 16 | green << 8 | blue
