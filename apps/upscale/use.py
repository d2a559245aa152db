"""What a finished run is good for: testing, answering, serving."""

import os
from pathlib import Path

from PIL import Image

from kerascnn import data
from kerascnn.export import export_upscaler
from kerascnn.training import RunFolder, upscale, written_whole
from kerascnn_apps.upscale import report
from kerascnn_apps.upscale.train import smallest_to_measure


def evaluate(folder, name=None, split="test", plot=None):
    """Tests a run's best model on a split of its own pictures, or of others.

    Returns what is found as a dict for JSON; the comparison is drawn if there is a file for it.
    """
    if plot is not None and plot.exists():
        raise FileExistsError(f"{plot} exists; choose a new file for the picture.")
    run = RunFolder(folder)
    known = _known(run)
    model = run.load_model()
    smallest = smallest_to_measure(known["upscaling"]["factor"])
    photos = data.find_photos(name or known["data"]["name"], smallest=smallest)
    splits = (*data.SPLITS, "all")
    if split not in splits:
        listed = ", ".join(repr(known) for known in splits)
        raise ValueError(f"`split` must be one of {listed}; got split={split!r}.")
    wanted = data.SPLITS if split == "all" else (split,)
    pictures = [photo for split in wanted for photo in photos.pictures[split]]
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
    factor = _known(run)["upscaling"]["factor"]
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} must be a folder for the pictures; it is a file.")
    files = list(_places(paths))
    model = run.load_model()
    results, broken, written = [], [], set()
    for path, place in files:
        target = out / place.parent / f"{place.stem}_x{factor}.png"
        try:
            if target in written:
                raise FileExistsError(
                    f"{path} is not upscaled: {target} is that of another picture already."
                )
            if target.exists() and not force:
                raise FileExistsError(
                    f"{path} is not upscaled: {target} exists; --force overwrites it."
                )
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
                "file": _printable(path),
                "upscaled": _printable(target),
                "width": image.width,
                "height": image.height,
            }
        )
    return results, broken


def export(folder, out=None):
    """Exports a run's best model; returns the version's folder."""
    run = RunFolder(folder)
    _known(run)
    examples = [data.read_image(path) for path in sorted(run.examples.glob("*.png"))]
    return export_upscaler(run.load_model(), out or run.exports, images=examples)


def _known(run):
    """The recipe of an upscaling model."""
    recipe = run.recipe()
    if "upscaling" not in recipe:
        raise ValueError(
            f"{run.path} must be a run of `kerascnn upscale train`; its recipe is not."
        )
    return recipe


def _places(paths):
    """Pairs of a file and its path below the folder that was given."""
    for path in paths:
        for file in data.files_of([path]):
            yield file, file.relative_to(path) if path.is_dir() else Path(file.name)


def _printable(path):
    return os.fsencode(path).decode(errors="replace")
