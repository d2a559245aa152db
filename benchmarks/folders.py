"""Checking a folder of images and reading it for one epoch, against Keras's own reader.

    python benchmarks/folders.py --rounds 3 --out benchmarks/results/folders.md
    python benchmarks/folders.py --images 500 --rounds 1      # a quick look

The folder is generated: JPEG files of 256x256 in ten classes. Our side finds the files, reads each
once (broken files, sizes, ranges, equal pixels in several splits) and then iterates once over the
pipelines of all splits; Keras's side is `keras.utils.image_dataset_from_directory` and one
iteration, which checks nothing. Neither keeps images in memory: they do not fit into the cache.
"""

import argparse
import os
import resource
import statistics
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from PIL import Image
from timing import in_turn, seconds, write_page

from kerascnn.data import load_classification, memory

SIDE, CLASSES, BATCH = 256, 10, 32

PAGE = """# Folders of images

{count:,} JPEG files of {side}x{side} in {classes} classes: finding and checking them and one epoch
of `pipeline(split, batch_size={batch})` over all splits, against
`keras.utils.image_dataset_from_directory` and one iteration. Medians of {rounds} rounds, both sides
alternately.

| | seconds | images per second |
|---|---|---|
| check | {check:.1f} | {check_rate:,.0f} |
| check and first epoch | {ours:.1f} | {ours_rate:,.0f} |
| Keras, first epoch without a check | {theirs:.1f} | {theirs_rate:,.0f} |

Keras's time divided by ours: {ratio:.2f} with the check, {epoch:.2f} for the epoch alone; the check
takes {part:.2f} of Keras's time. It adds {memory:.0f} bytes of memory per image.
"""


def make(folder, count):
    """Writes photographs of a kind: soft shapes with some noise."""
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f"class{i % CLASSES}" / f"{i:05d}.jpg"
        path.parent.mkdir(exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        soft = np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.int16)
        noisy = soft + rng.integers(-12, 13, soft.shape, np.int16)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def check(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_classification(folder)


def check_and_iterate(folder):
    data = check(folder)
    for split in data.num_examples:
        for _ in data.pipeline(split, batch_size=BATCH):
            pass


def iterate_with_keras(folder):
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIDE, SIDE), batch_size=BATCH, shuffle=True, seed=0, verbose=False
    )
    for _ in dataset:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=Path, help="where the images are, or are made, and stay")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    memory.CACHE_BYTES = 0  # as for a folder that does not fit
    with tempfile.TemporaryDirectory() as place:
        folder = given.folder or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            make(folder, given.images)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        check(folder)
        added = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        sides = {
            "check": lambda: seconds(lambda: check(folder)),
            "ours": lambda: seconds(lambda: check_and_iterate(folder)),
            "theirs": lambda: seconds(lambda: iterate_with_keras(folder)),
        }
        found = {
            name: statistics.median(times) for name, times in in_turn(sides, given.rounds).items()
        }
    facts = {
        **found,
        **{f"{name}_rate": given.images / time for name, time in found.items()},
        "ratio": found["theirs"] / found["ours"],
        "epoch": found["theirs"] / (found["ours"] - found["check"]),
        "part": found["check"] / found["theirs"],
        "memory": added / given.images,
        "count": given.images,
        "rounds": given.rounds,
        "side": SIDE,
        "classes": CLASSES,
        "batch": BATCH,
    }
    page = PAGE.format(**facts)
    print(page)
    if given.out:
        write_page(given.out, page)


if __name__ == "__main__":
    main()
