"""What a finished run is good for: testing, segmenting, serving."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from kerascnn import data, visualize
from kerascnn.export import export_segmenter
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.file_names import shortened
from kerascnn.storage.printable import printable
from kerascnn.training import TILE, RunFolder, segment
from kerascnn_apps.files import Answers, check_folder, places
from kerascnn_apps.segment import report
from kerascnn_apps.trained import recipe_of, splits_of, warn_if_changed

_BAND = 256


def evaluate(folder, name=None, data_dir=None, split="test", plots=None):
    """Tests a run's best model on a split of its own data, or of other data.

    Returns what is found as a dict for JSON, and the paths of the pictures, which are drawn if
    there is a folder for them.
    """
    if plots is not None and plots.exists() and any(plots.iterdir()):
        raise FileExistsError(f"{plots} holds files; choose a new folder for the pictures.")
    run = RunFolder(folder)
    known = _Known.of(run)
    source = data.load_segmentation(
        name or known.name,
        data_dir=data_dir or known.data_dir,
        ignore=known.ignored,
        for_training=False,
    )
    if source.class_names != known.class_names:
        raise ValueError(
            f"The data must have the classes of the training ({', '.join(known.class_names)}); "
            f"got {', '.join(source.class_names)}."
        )
    if name is None:
        warn_if_changed(source.name, known.num_examples, source.num_examples)
    splits = [part for part in splits_of(split) if source.num_examples[part]]
    if not splits:
        raise ValueError(f"{source.name} must have images in its {split} split; got none.")
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)  # fails before the work is done, not after
    tested = report.tested(run.load_model(), source, splits, known.factor)
    paths = []
    if plots is not None:
        title = f"{run.path.name}: {split} images, the worst first"
        for plot, figure in tested.figures(title).items():
            paths.append(plots / f"{plot}.png")
            with atomic_write(paths[-1]) as temporary:
                figure.savefig(temporary)
    return {**tested.numbers(), "confusion_matrix": tested.scores.confusion_matrix.tolist()}, paths


def predict(folder, paths, out, probabilities=False, tile=None, force=False):
    """Segments image files.

    Writes `masks/NAME.png`, `overlays/NAME.png` and, if asked for, `probabilities/NAME.npy` (a
    float32 array `(height, width, classes)`) below `out`. A file keeps its place below the folder
    it was found in.

    Yields:
        a dict for each file: its name, the paths that were written, and the share of each class;
        or the error, if it could not be read or its answers may not be written.
    """
    run = RunFolder(folder)
    known = _Known.of(run)
    check_folder(out)
    files = list(places(paths))
    model = run.load_model()
    colors = visualize.palette(len(known.counted))
    answers = Answers([file for file, _ in files], known.name, force)
    for file, place in files:
        targets = {
            "mask": shortened(out / "masks" / place.with_suffix(".png")),
            "overlay": shortened(out / "overlays" / place.with_suffix(".png")),
        }
        if probabilities:
            targets["probabilities"] = shortened(out / "probabilities" / place.with_suffix(".npy"))
        try:
            answers.check_free(file, targets.values())
            image = data.read_image(file, model.input_shape[-1])
        except (data.UnreadableImageError, FileExistsError) as error:
            yield error
            continue
        bands = segment(model, image, known.factor, TILE if tile is None else tile)
        labels = _labels(bands, image, len(known.counted), targets.get("probabilities"))
        _save(known.values[labels], targets["mask"])
        _save(_blended(image, labels, colors), targets["overlay"])
        answers.add(targets.values())
        shares = np.bincount(labels.ravel(), minlength=len(known.counted)) / labels.size
        yield {
            "file": printable(file),
            **{kind: printable(path) for kind, path in targets.items()},
            "shares": dict(zip(known.counted, shares.tolist(), strict=True)),
        }


def _labels(bands, image, classes, array):
    """The likeliest classes of an image; the probabilities go to a file, band by band."""
    if array is None:
        return np.concatenate([band.argmax(axis=-1).astype(np.uint8) for band in bands])
    labels = np.zeros(image.shape[:2], np.uint8)
    with atomic_write(array) as temporary:
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


def _blended(image, labels, colors):
    """The overlay, made in bands: on the way it takes many times the memory of the image."""
    bands = [slice(top, top + _BAND) for top in range(0, len(image), _BAND)]
    return np.concatenate([visualize.blend(image[band], labels[band], colors) for band in bands])


def _save(picture, path):
    with atomic_write(path) as temporary:
        Image.fromarray(picture).save(temporary)


def export(folder, out=None):
    """Exports a run's best model; returns the version's folder."""
    run = RunFolder(folder)
    known = _Known.of(run)
    examples = [data.read_image(path) for path in sorted(run.examples.rglob("*.png"))]
    return export_segmenter(
        run.load_model(), out or run.exports, known.values, known.factor, examples
    )


@dataclass(frozen=True)
class _Known:
    """What the recipe says of the data that a model was trained on."""

    name: str
    data_dir: str | None
    class_names: tuple[str, ...]
    ignored: tuple[str, ...]
    num_examples: dict
    factor: float

    @classmethod
    def of(cls, run):
        recipe = recipe_of(run, "segment")
        found = recipe["data"]
        return cls(
            name=found["name"],
            data_dir=found["data_dir"],
            class_names=tuple(found["class_names"]),
            ignored=tuple(found["ignored"]),
            num_examples=found["num_examples"],
            factor=recipe["segmentation"]["factor"],
        )

    @property
    def counted(self):
        return [name for name in self.class_names if name not in self.ignored]

    @property
    def values(self):
        """The value of each class in a mask."""
        return np.array([self.class_names.index(name) for name in self.counted], np.uint8)
