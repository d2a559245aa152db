"""What a test of a segmentation model comes to: numbers, text, pictures."""

import heapq
from dataclasses import dataclass

import numpy as np
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from kerascnn import visualize
from kerascnn.training import SegmentationScores, image_iou, segment

_DRAWN = 8


@dataclass(frozen=True)
class Tested:
    """The scores of a whole split, and the images that came out worst.

    Args:
        class_names: names of the classes that count.
        scores: `kerascnn.training.SegmentationScores`.
        worst: rows for `kerascnn.visualize.overlays`, the worst first.
    """

    class_names: tuple[str, ...]
    scores: SegmentationScores
    worst: list

    def numbers(self):
        """The metrics, with those of each class, for JSON."""
        return {**self.scores.metrics(), "per_class": self.scores.per_class()}

    def figures(self, title):
        """The pictures, by the names of their files."""
        return {
            "per_class": visualize.per_class(self.scores.per_class(), "iou"),
            "confusion_matrix": visualize.confusion_matrix(
                self.scores.confusion_matrix, self.class_names
            ),
            "overlays": visualize.overlays(self.worst, self.class_names, title),
        }


def tested(model, source, split, factor):
    """Tests a model on whole images, at their own resolution."""
    scores = SegmentationScores(source.counted)
    worst = []  # a heap: the best of the worst comes first, and goes first
    examples = source.examples(split, model.input_shape[-1])
    for number, (name, image, truth) in enumerate(examples):
        predicted = np.concatenate(
            [band.argmax(axis=-1) for band in segment(model, image, factor)]
        ).astype(np.uint8)
        scores.add(truth, predicted)
        iou = image_iou(truth, predicted, len(source.counted))
        row = {"image": image, "truth": truth, "predicted": predicted, "iou": iou, "name": name}
        push = heapq.heappush if len(worst) < _DRAWN else heapq.heappushpop
        push(worst, (-iou, number, row))
    rows = [row for _, _, row in sorted(worst, reverse=True)]
    return Tested(source.counted, scores, rows)


def show(split, found):
    """Prints the numbers of a split: a line of them, and a table of the classes."""
    typer.echo(
        f"{split} mean IoU {_percent(found['mean_iou'])}, class average "
        f"{_percent(found['class_average_accuracy'])}, global accuracy "
        f"{_percent(found['global_accuracy'])}, boundary F1 {_percent(found['boundary_f1'])} "
        f"({found['num_images']:,} images)\n"
    )
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("class", overflow="fold")
    for heading in ("IoU", "accuracy", "boundary F1", "pixels"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found["per_class"]:
        scores = (_percent(row[metric]) for metric in ("iou", "accuracy", "boundary_f1"))
        table.add_row(row["class_name"], *scores, f"{row['pixels']:,}")
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:  # a file or a pipe has no width to fold names to
        console.width = 100 + max(len(row["class_name"]) for row in found["per_class"])
    console.print(table)


def _percent(score):
    return "-" if score is None else f"{score:.2%}"
