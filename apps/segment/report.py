"""What a test of a segmentation model comes to: numbers, text, pictures."""

import heapq
from dataclasses import dataclass
from itertools import chain

import numpy as np
import typer

from kerascnn import visualize
from kerascnn.training import SegmentationScores, image_iou, segment
from kerascnn_apps.table import print_table

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


def tested(model, source, splits, factor):
    """Tests a model on whole images of some splits, at their own resolution."""
    scores = SegmentationScores(source.scored_classes)
    worst = []  # a heap: the best of the worst comes first, and goes first
    examples = chain(*(source.examples(split, model.input_shape[-1]) for split in splits))
    for number, (name, image, truth) in enumerate(examples):
        predicted = np.concatenate(
            [band.argmax(axis=-1) for band in segment(model, image, factor)]
        ).astype(np.uint8)
        scores.add(truth, predicted)
        iou = image_iou(truth, predicted, len(source.scored_classes))
        row = {"image": image, "truth": truth, "predicted": predicted, "iou": iou, "name": name}
        push = heapq.heappush if len(worst) < _DRAWN else heapq.heappushpop
        push(worst, (-iou, number, row))
    rows = [row for _, _, row in sorted(worst, reverse=True)]
    return Tested(source.scored_classes, scores, rows)


def summary(split, found):
    """The numbers of a split in a line."""
    return (
        f"{split} mean IoU {_percent(found['mean_iou'])}, class average "
        f"{_percent(found['class_average_accuracy'])}, global accuracy "
        f"{_percent(found['global_accuracy'])}, boundary F1 {_percent(found['boundary_f1'])} "
        f"({found['num_images']:,} images)"
    )


def show(split, found):
    """Prints the numbers of a split: a line of them, and a table of the classes."""
    typer.echo(f"{summary(split, found)}\n")
    print_table(
        ("class", "IoU", "accuracy", "boundary F1", "pixels"),
        [
            (
                row["class_name"],
                *(_percent(row[metric]) for metric in ("iou", "accuracy", "boundary_f1")),
                f"{row['pixels']:,}",
            )
            for row in found["per_class"]
        ],
    )


def _percent(score):
    return "-" if score is None else f"{score:.2%}"
