"""The commands of each task, which train and use models.

    kerascnn classify train --data mnist --data-dir ~/tensorflow_datasets --out runs/mnist
    kerascnn classify predict runs/mnist image.png

Measured: 99.52 % of MNIST's 10,000 test images (lenet5, 60 epochs, 9 minutes on two cores, seed 0).

    kerascnn segment train --data camvid --out runs/camvid
    kerascnn segment predict runs/camvid image.png

Measured: mean IoU 47.15 % on CamVid's 233 test frames (unet of width 16 at half the size, 30
epochs, 48 minutes on two cores, seed 0).

    kerascnn upscale train --data ~/photos --model espcn_x3 --out runs/photos
    kerascnn upscale predict runs/photos small.jpg

Measured: 33.16 dB on flower.jpg, bicubic interpolation 32.37 dB (espcn_x3, 12 epochs on china.jpg,
204 s on two cores, seed 0).

docs/results.md has the commands and the machine.
"""

from kerascnn_apps import options
from kerascnn_apps.task_commands import TaskCommands

_AUGMENT = "flip, crop, shift, zoom, rotate, color, rand_augment, cutout, mixup"
_EXPORT = "Write the model for another runtime, checked in a fresh process."
_CHECK = (
    "Read the data once, and print how they are interpreted and what looks wrong; status 1 if they "
    "cannot be used for training."
)
_FIT = "by default what fits the data"

CLASSIFY = TaskCommands(
    task="classification",
    command="classify",
    about="Classify images.",
    data="'digits' (embedded), a dataset of TensorFlow Datasets, or a folder of labeled images.",
    embedded="digits",
    model="Name of a model (`kerascnn models --task classification`); by default lenet5.",
    weights="Weights to start with: 'imagenet', or the folder of another run.",
    recipes=f"quick, standard, paper, small or finetune; {_FIT}.",
    augment=_AUGMENT,
    reading={"image_size": options.ImageSize},
    training={"class_weights": options.ClassWeights, "balance": options.Balance},
    saves=False,
    docs={
        "train": "Train a classifier, plot its learning curves, and test it.",
        "evaluate": "Measure a trained classifier on a split: scores, scores per class, and "
        "calibration.",
        "predict": "Classify image files of any size and format.",
        "export": _EXPORT,
        "show-data": "Plot training images before and after augmentation.",
        "check": _CHECK,
    },
)

SEGMENT = TaskCommands(
    task="segmentation",
    command="segment",
    about="Segment images: a class for every pixel.",
    data="'scenes' (embedded), a folder with images, masks and class names, or a dataset of "
    "TensorFlow Datasets.",
    embedded="scenes",
    model="Name of a model (`kerascnn models --task segmentation`); by default a U-Net with a "
    "width of 16.",
    weights="Weights to start with: 'imagenet' or a run of `kerascnn classify train` for the "
    "encoder, or a run of `kerascnn segment train`.",
    recipes=f"quick, standard or finetune; {_FIT}.",
    augment="flip, shift, zoom, rotate, color",
    reading={
        "ignore": options.Ignore,
        "mask_values": options.MaskValues,
        "mask_colors": options.MaskColors,
    },
    training={
        "loss": options.Loss,
        "class_weights": options.ClassWeights,
        "factor": options.Factor,
        "crop_size": options.CropSize,
    },
    predicting={"probabilities": (options.Probabilities, False), "tile": (options.Tile, None)},
    docs={
        "train": "Train a segmentation model, plot its learning curves, and test it.",
        "evaluate": "Measure a trained model on whole images of a split, at full resolution.",
        "predict": "Segment image files of any size and format: masks of class numbers, and "
        "overlays for viewing.",
        "export": _EXPORT,
        "show-data": "Plot training images with their masks, before and after augmentation.",
        "check": _CHECK,
    },
)

UPSCALE = TaskCommands(
    task="upscaling",
    command="upscale",
    about="Upscale images.",
    data="'photos' (embedded), or a folder of images.",
    embedded="photos",
    model="Name of a model (`kerascnn models --task upscaling`); by default espcn_x3.",
    recipes="quick or standard; by default standard.",
    data_dir=False,
    training={
        "loss": options.ImageLoss,
        "patch_size": options.PatchSize,
        "patches": options.Patches,
    },
    docs={
        "train": "Train a model to upscale, plot its learning curves, and compare it with bicubic "
        "interpolation.",
        "evaluate": "Measure a trained model on images that are downscaled first: PSNR and SSIM of "
        "luminance in [16, 235], without a border of as many pixels as the factor, as papers do.",
        "predict": "Upscale image files of any size and format.",
        "export": _EXPORT,
        "show-data": "Plot training patches in low and high resolution.",
        "check": _CHECK,
    },
)

RECONSTRUCT = TaskCommands(
    task="reconstruction",
    command="reconstruct",
    about="Compress images with an autoencoder, and reconstruct them.",
    data="'digits' (embedded), a dataset of TensorFlow Datasets, or a folder of labeled images.",
    embedded="digits",
    model="Name of a model (`kerascnn models --task reconstruction`); by default autoencoder.",
    recipes="quick or standard; by default standard.",
    augment=_AUGMENT,
    reading={"image_size": options.ImageSize},
    docs={
        "train": "Train an autoencoder, plot its learning curves, and test it.",
        "evaluate": "Measure how well a trained autoencoder reconstructs the images of a split.",
        "predict": "Reconstruct image files of any size and format.",
        "export": _EXPORT,
        "show-data": "Plot training images before and after augmentation.",
        "check": _CHECK,
    },
)

TASKS = (CLASSIFY, SEGMENT, UPSCALE, RECONSTRUCT)
