"""What a finished run is good for: testing, segmenting, serving."""

from pathlib import Path

import numpy as np
from PIL import Image

from kerascnn import data, visualize
from kerascnn.export import export_segmenter
from kerascnn.training import TILE, RunFolder, segment, written_whole
from kerascnn_apps.segment import report


def evaluate(folder, name=None, data_dir=None, split="test", plots=None):
    """Tests a run's best model on a split of its own data, or of other data.

    Returns what is found as a dict for JSON, and the paths of the pictures, which are drawn if
    there is a folder for them.
    """
    if plots is not None and plots.exists() and any(plots.iterdir()):
        raise FileExistsError(f"{plots} holds files; choose a new folder for the pictures.")
    run = RunFolder(folder)
    known = _Known.of(run)
    source = data.find_masks(name or known.name, data_dir or known.data_dir, known.ignored)
    if source.class_names != known.class_names:
        raise ValueError(
            f"The data must have the classes of the training ({', '.join(known.class_names)}); "
            f"got {', '.join(source.class_names)}."
        )
    if not source.num_examples.get(split):
        raise ValueError(
            f"`split` must be one in which {source.name} has images, of "
            f"{', '.join(data.SPLITS)}; got split={split!r}."
        )
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)  # fails before the work is done, not after
    tested = report.tested(run.load_model(), source, split, known.factor)
    paths = []
    if plots is not None:
        title = f"{run.path.name}: {split} images, the worst first"
        for plot, figure in tested.figures(title).items():
            paths.append(plots / f"{plot}.png")
            with written_whole(paths[-1]) as temporary:
                figure.savefig(temporary)
    return {**tested.numbers(), "confusion_matrix": tested.scores.confusion_matrix.tolist()}, paths


def predict(folder, paths, out, probabilities=False, tile=TILE, force=False):
    """Segments image files.

    Writes `masks/NAME.png`, `overlays/NAME.png` and, if asked for, `probabilities/NAME.npy` (a
    float32 array `(height, width, classes)`) below `out`.

    Yields:
        a dict for each file: its name, the paths that were written, and the share of each class;
        or the error, if it could not be read.
    """
    run = RunFolder(folder)
    known = _Known.of(run)
    files = _named(data.files_of(paths), out, force)
    model = run.load_model()
    counted = [name for name in known.class_names if name not in known.ignored]
    values = np.array([known.class_names.index(name) for name in counted], np.uint8)
    colors = visualize.palette(len(counted))
    for name, file in files.items():
        try:
            image = data.read_image(file, model.input_shape[-1])
        except data.UnreadableImageError as error:
            yield error
            continue
        array = out / "probabilities" / f"{name}.npy" if probabilities else None
        labels = _labels(segment(model, image, known.factor, tile), image, len(counted), array)
        written = {
            "mask": out / "masks" / f"{name}.png",
            "overlay": out / "overlays" / f"{name}.png",
        }
        pictures = (values[labels], visualize.blend(image, labels, colors))
        for path, picture in zip(written.values(), pictures, strict=True):
            with written_whole(path) as temporary:
                Image.fromarray(picture).save(temporary)
        if probabilities:
            written["probabilities"] = array
        shares = np.bincount(labels.ravel(), minlength=len(counted)) / labels.size
        yield {
            "file": str(file),
            **{kind: str(path) for kind, path in written.items()},
            "shares": dict(zip(counted, shares.tolist(), strict=True)),
        }


def _labels(bands, image, classes, array):
    """The likeliest classes of an image; the probabilities go to a file, band by band."""
    if array is None:
        return np.concatenate([band.argmax(axis=-1).astype(np.uint8) for band in bands])
    labels = np.zeros(image.shape[:2], np.uint8)
    with written_whole(array) as temporary:
        written = np.lib.format.open_memmap(
            temporary, "w+", np.float32, (*image.shape[:2], classes)
        )
        top = 0
        for band in bands:
            rows = slice(top, top + len(band))
            written[rows], labels[rows] = band, band.argmax(axis=-1)
            top += len(band)
        written.flush()
    return labels


def _named(files, out, force):
    """`{name: file}`, by the names that the answers will have."""
    named = {}
    for file in files:
        name = Path(file).stem
        if name in named:
            raise ValueError(
                f"{named[name]} and {file} would be written under one name; segment them into "
                "different folders."
            )
        named[name] = file
    there = [path for name in named if (path := out / "masks" / f"{name}.png").exists()]
    if there and not force:
        raise FileExistsError(f"{there[0]} exists; --force writes it anew.")
    return named


def export(folder, out=None):
    """Exports a run's best model; returns the version's folder."""
    run = RunFolder(folder)
    known = _Known.of(run)
    counted = [name for name in known.class_names if name not in known.ignored]
    examples = [data.read_image(path) for path in sorted(run.examples.glob("*.png"))]
    return export_segmenter(
        run.load_model(),
        out or run.exports,
        [known.class_names.index(name) for name in counted],
        known.factor,
        examples,
    )


class _Known:
    """What the recipe says of the data that a model was trained on."""

    @classmethod
    def of(cls, run):
        recipe = run.recipe()
        if "segmentation" not in recipe:
            raise ValueError(
                f"{run.path} must be a run of `kerascnn segment train`; its recipe is not."
            )
        known = cls()
        known.name, known.data_dir = recipe["data"]["name"], recipe["data"]["data_dir"]
        known.class_names = tuple(recipe["data"]["class_names"])
        known.ignored = tuple(recipe["data"]["ignored"])
        known.factor = recipe["segmentation"]["factor"]
        return known
