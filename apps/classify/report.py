"""What a test of a classifier comes to: numbers, text, pictures."""

import typer

from kerascnn import visualize
from kerascnn_apps.table import print_table

# Of more classes than this, only the worst are listed.
_LISTED = 50
_WORST = 20


def numbers(answers, class_names):
    """The metrics of a `Classification`, with those of each class, for JSON."""
    return {**answers.metrics(), "per_class": answers.per_class(class_names)}


def figures(answers, class_names):
    """The pictures of a `Classification`, by the names of their files."""
    return {
        "confusion_matrix": visualize.confusion_matrix(answers.confusion_matrix(), class_names),
        "calibration": visualize.calibration(
            answers.calibration(), answers.expected_calibration_error()
        ),
        "per_class": visualize.per_class(answers.per_class(class_names)),
    }


def summary(split, found):
    """The numbers of a split in a line."""
    top5 = f"top-5 {found['top5_accuracy']:.2%}, " if "top5_accuracy" in found else ""
    return (
        f"{split} accuracy {found['accuracy']:.2%}, {top5}cross-entropy {found['loss']:.4f}, "
        f"calibration error {found['expected_calibration_error']:.2%} "
        f"({found['num_examples']:,} images)"
    )


def show(split, found):
    """Prints the numbers of a split: a line of them, and a table of the classes."""
    typer.echo(f"{summary(split, found)}\n")
    rows = found["per_class"]
    if len(rows) > _LISTED:
        measured = [row for row in rows if row["support"]]
        shown = sorted(measured, key=lambda row: row["f1"])[:_WORST]
        typer.echo(f"the worst {len(shown)} of {len(rows):,} classes by F1 (--json tells all):\n")
        rows = shown
    print_table(
        ("class", "precision", "recall", "F1", "images"),
        [
            (
                row["class_name"],
                *(f"{row[metric]:.3f}" for metric in ("precision", "recall", "f1")),
                f"{row['support']:,}",
            )
            for row in rows
        ],
    )
