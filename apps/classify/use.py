"""What a finished run is good for: testing, answering, serving."""

from itertools import chain

import keras
import numpy as np

from kerascnn import data
from kerascnn.data.images import files_of
from kerascnn.export import export as export_model
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.printable import printable
from kerascnn.training import RunFolder, classify
from kerascnn_apps.classify import report
from kerascnn_apps.trained import recipe_of, splits_of, warn_if_changed

_BATCH = 256


def evaluate(folder, name=None, data_dir=None, split="test", plots=None):
    """Tests a run's best model on a split of its own data, or of other data.

    Returns what is found as a dict for JSON, and the paths of the pictures, which are drawn if
    there is a folder for them.
    """
    if plots is not None and plots.exists() and any(plots.iterdir()):
        raise FileExistsError(f"{plots} holds files; choose a new folder for the pictures.")
    run = RunFolder(folder)
    known = recipe_of(run, "classify")["data"]
    model = run.load_model()
    height, width, channels = known["image_shape"]
    source = data.load_classification(
        name or known["name"],
        data_dir=data_dir or known["data_dir"],
        image_size=(height, width),
        channels=channels,
    )
    if list(source.class_names) != known["class_names"]:
        raise ValueError(
            f"The data must have the classes of the training ({_listed(known['class_names'])}); "
            f"got {_listed(source.class_names)}."
        )
    source.check_labels()
    if name is None:
        warn_if_changed(source.name, known["num_examples"], source.num_examples)
    splits = [part for part in splits_of(split) if source.num_examples[part]]
    if not splits:
        raise ValueError(f"{source.name} must have images in its {split} split; got none.")
    batches = chain(*(source.pipeline(part, batch_size=_BATCH) for part in splits))
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)  # fails before the work is done, not after
    answers = classify(model, batches)
    found = {
        **report.numbers(answers, source.class_names),
        "calibration": answers.calibration(),
        "confusion_matrix": answers.confusion_matrix().tolist(),
    }
    paths = []
    if plots is not None:
        for plot, figure in report.figures(answers, source.class_names).items():
            paths.append(plots / f"{plot}.png")
            with atomic_write(paths[-1]) as temporary:
                figure.savefig(temporary)
    return found, paths


def predict(folder, paths):
    """Classifies image files; returns a dict for each, and the errors of those that are broken."""
    run = RunFolder(folder)
    known = recipe_of(run, "classify")["data"]
    files = files_of(paths)
    model = run.load_model()
    height, width, channels = known["image_shape"]
    results, broken = [], []
    for start in range(0, len(files), _BATCH):
        names, images = [], []
        for file in files[start : start + _BATCH]:
            try:
                image = data.read_image(file, channels)
            except data.UnreadableImageError as error:
                broken.append(error)
                continue
            names.append(printable(file))
            images.append(np.asarray(data.prepare(image, (height, width))))
        if images:
            logits = model.predict(np.stack(images), batch_size=_BATCH, verbose=0)
            probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
            results += [
                _result(name, row, known["class_names"])
                for name, row in zip(names, probabilities, strict=True)
            ]
    return results, broken


def export(folder, out=None):
    """Exports a run's best model with its class names; returns the version's folder."""
    run = RunFolder(folder)
    class_names = recipe_of(run, "classify")["data"]["class_names"]
    model = run.load_model()
    examples = [data.read_image(path) for path in sorted(run.examples.glob("*.png"))]
    return export_model(model, out or run.exports, class_names, images=examples)


def _result(name, probabilities, class_names):
    best = int(probabilities.argmax())
    return {
        "file": name,
        "class_id": best,
        "class_name": class_names[best],
        "probability": float(probabilities[best]),
        "probabilities": dict(zip(class_names, map(float, probabilities), strict=True)),
    }


def _listed(names):
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
