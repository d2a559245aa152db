"""What a finished run is good for: testing, answering, serving."""

from PIL import Image

from kerascnn import data
from kerascnn.export import export_upscaler
from kerascnn.training import RunFolder, upscale, written_whole
from kerascnn_apps.files import check_folder, check_free, places, printable
from kerascnn_apps.trained import recipe_of, splits_of, warn_if_changed
from kerascnn_apps.upscale import report
from kerascnn_apps.upscale.train import smallest_to_measure


def evaluate(folder, name=None, split="test", plot=None):
    """Tests a run's best model on a split of its own pictures, or of others.

    Returns what is found as a dict for JSON; the comparison is drawn if there is a file for it.
    """
    if plot is not None and plot.exists():
        raise FileExistsError(f"{plot} exists; choose a new file for the picture.")
    run = RunFolder(folder)
    known = recipe_of(run, "upscale")
    model = run.load_model()
    if name is None:  # what was too small to be trained on had no part in the splits
        photos = data.find_photos(known["data"]["name"], smallest=known["data"]["smallest"])
        now = {split: len(found) for split, found in photos.pictures.items()}
        warn_if_changed(photos.name, known["data"]["num_pictures"], now)
    else:
        smallest = smallest_to_measure(known["upscaling"]["factor"])
        photos = data.find_photos(name, smallest=smallest)
    pictures = [photo for part in splits_of(split) for photo in photos.pictures[part]]
    if not pictures:
        raise ValueError(f"{photos.name} must have pictures in its {split} split; got none.")
    found = report.numbers(model, pictures)
    if plot is not None:
        figure = report.comparison(model, pictures, found)
        with written_whole(plot) as temporary:
            figure.savefig(temporary)
    return found


def predict(folder, paths, out, force=False):
    """Upscales image files into a folder; returns a dict for each, and the errors of the others.

    A file keeps its place below the folder it was found in, and gets the suffix `_x3.png`, or
    whatever the factor is.
    """
    run = RunFolder(folder)
    factor = recipe_of(run, "upscale")["upscaling"]["factor"]
    check_folder(out)
    files = list(places(paths))
    model = run.load_model()
    results, broken, written = [], [], set()
    for path, place in files:
        target = out / place.parent / f"{place.stem}_x{factor}.png"
        try:
            check_free(path, [target], written, force)
            picture = upscale(model, data.read_image(path))
        except (data.UnreadableImageError, FileExistsError) as error:
            broken.append(error)
            continue
        image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        with written_whole(target) as temporary:
            image.save(temporary)
        written.add(target)
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
