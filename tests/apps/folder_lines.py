"""What `check` prints for each arrangement of files that the documentation shows.

python -m tests.apps.folder_lines    # prints the blocks of docs/en/reference/folders.md
"""

import contextlib
import io
import tempfile
from pathlib import Path

from kerascnn_apps.cli import run
from tests.data import folders

# `{title: (command, function that makes the folder, its files in a line)}`
LAYOUTS = {
    "Folders of classes": (
        "classify",
        lambda root: folders.classes(root, (40, 12)),
        "cats/*.png dogs/*.png",
    ),
    "Folders of splits": (
        "classify",
        folders.split_sets,
        "training_set/cats/*.png training_set/dogs/*.png test_set/cats/*.png test_set/dogs/*.png",
    ),
    "Folders of splits, twice": (
        "classify",
        lambda root: folders.split_sets(root, "{split}/{split}/{name}", ("seg_train", "seg_test")),
        "seg_train/seg_train/cats/*.png seg_test/seg_test/cats/*.png ...",
    ),
    "Classes first": (
        "classify",
        lambda root: folders.split_sets(root, "{name}/{split}", ("train", "test")),
        "cats/train/*.png cats/test/*.png dogs/train/*.png dogs/test/*.png",
    ),
    "A table of labels": ("classify", folders.table, "labels.csv (file,label) files/*.png"),
    "Oxford pets, breeds": (
        "classify",
        folders.oxford_pets,
        "images/*.jpg annotations/trainval.txt annotations/test.txt",
    ),
    "Images of 12 bits": (
        "classify",
        lambda root: folders.classes(root, (10, 10), convert=folders.deep_png),
        "cats/*.png dogs/*.png",
    ),
    "Images and masks": ("segment", folders.masks, "images/*.png masks/*.png classes.txt"),
    "Pascal VOC": (
        "segment",
        folders.pascal_voc,
        "JPEGImages/*.jpg SegmentationClass/*.png ImageSets/Segmentation/{train,val}.txt",
    ),
    "Cityscapes": (
        "segment",
        folders.cityscapes,
        "leftImg8bit/train/aachen/*.png gtFine/train/aachen/*_gtFine_labelIds.png ...",
    ),
    "CamVid": (
        "segment",
        folders.camvid,
        "701_StillsRaw_full/*.png LabeledApproved_full/*_L.png label_colors.txt",
    ),
    "ADE20K": (
        "segment",
        folders.ade20k,
        "images/training/*.jpg annotations/training/*.png objectInfo150.txt ...",
    ),
    "COCO": (
        "segment",
        folders.coco,
        "train2017/*.jpg val2017/*.jpg annotations/instances_{train,val}2017.json",
    ),
    "Oxford pets, trimaps": (
        "segment",
        folders.oxford_pets,
        "images/*.jpg annotations/trimaps/*.png",
    ),
    "DIV2K": ("upscale", folders.div2k, "DIV2K_train_HR/*.png DIV2K_valid_HR/*.png ..."),
}


def block(title):
    """Returns the part of the documentation on one arrangement."""
    command, make, files = LAYOUTS[title]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve() / "FOLDER"
        make(root)
        with contextlib.redirect_stdout(io.StringIO()) as stream:
            status = run([command, "check", "--data", str(root)])
        assert status == 0, stream.getvalue()
        lines = stream.getvalue().replace(str(root), "FOLDER")
    shown = f"```text\n$ kerascnn {command} check --data FOLDER\n{lines}```"
    return f"### {title}\n\n`{files}`\n\n{shown}\n"


if __name__ == "__main__":
    print("\n".join(map(block, LAYOUTS)))
