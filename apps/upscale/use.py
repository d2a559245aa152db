"""What a finished run is good for: testing, answering, serving."""

import os

from PIL import Image

from kerascnn import data
from kerascnn.export import export_upscaler
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.file_names import file_name
from kerascnn.storage.printable import printable
from kerascnn.training import RunFolder, upscale
from kerascnn_apps.files import Answers, check_folder, places
from kerascnn_apps.trained import recipe_of, splits_of, warn_if_changed
from kerascnn_apps.upscale import report
from kerascnn_apps.upscale.train import smallest_to_measure


def evaluate(folder, name=None, split="test", plot=None):
    """Tests a run's best model on a split of its own pictures, or of others.

    Returns what is found as a dict for JSON; the comparison is drawn if there is a file for it.
    """
    if plot is not None and os.path.lexists(plot):
        raise FileExistsError(f"{plot} exists; choose a new file for the picture.")
    run = RunFolder(folder)
    known = recipe_of(run, "upscale")
    model = run.load_model()
    if name is None:  # what was too small to be trained on had no part in the splits
        photos = data.load_upscaling(known["data"]["name"], smallest=known["data"]["smallest"])
        warn_if_changed(photos.name, known["data"]["num_pictures"], photos.num_examples)
    else:
        smallest = smallest_to_measure(known["upscaling"]["factor"])
        photos = data.load_upscaling(name, smallest=smallest)
    pictures = [photo for part in splits_of(split) for photo in photos.images[part]]
    if not pictures:
        raise ValueError(f"{photos.name} must have pictures in its {split} split; got none.")
    found = report.numbers(model, pictures)
    if plot is not None:
        figure = report.comparison(model, pictures, found)
        with atomic_write(plot) as temporary:
            figure.savefig(temporary)
    return found


def predict(folder, paths, out, force=False):
    """Upscales image files into a folder; returns a dict for each, and the errors of the others.

    A file keeps its place below the folder it was found in, and gets the suffix `_x3.png`, or
    whatever the factor is.
    """
    run = RunFolder(folder)
    recipe = recipe_of(run, "upscale")
    factor = recipe["upscaling"]["factor"]
    check_folder(out)
    files = list(places(paths))
    model = run.load_model()
    results, broken = [], []
    answers = Answers([path for path, _ in files], recipe["data"]["name"], force)
    for path, place in files:
        folder = out / place.parent
        target = folder / file_name(place.stem, f"_x{factor}.png", folder)
        try:
            answers.check_free(path, [target])
            picture = upscale(model, data.read_image(path))
        except (data.UnreadableImageError, FileExistsError) as error:
            broken.append(error)
            continue
        image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        with atomic_write(target) as temporary:
            image.save(temporary)
        answers.add([target])
        results.append(
            {
                "file": printable(path),
                "upscaled": printable(target),
                "width": image.width,
                "height": image.height,
            }
        )
    return results, broken


def export(folder, out=None):
    """Exports a run's best model; returns the version's folder."""
    run = RunFolder(folder)
    recipe_of(run, "upscale")
    examples = [data.read_image(path) for path in sorted(run.examples.glob("*.png"))]
    return export_upscaler(run.load_model(), out or run.exports, images=examples)
