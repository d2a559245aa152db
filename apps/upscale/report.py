"""What a test of an upscaling model comes to: numbers, text, pictures."""

import numpy as np
import typer

from kerascnn import visualize
from kerascnn.training import reconstruct
from kerascnn_apps.table import print_table

_METRICS = ("psnr", "ssim", "bicubic_psnr", "bicubic_ssim")
_COMPARED = 3


def numbers(model, photos):
    """The metrics of a model, in the mean over pictures and of each, for JSON."""
    rows = [{"name": photo.name, **reconstruct(model, photo.read()).metrics()} for photo in photos]
    means = {metric: float(np.mean([row[metric] for row in rows])) for metric in _METRICS}
    return {**means, "num_pictures": len(rows), "pictures": rows}


def comparison(model, photos, found, title=""):
    """The picture of the answers that gain least over bicubic interpolation, least first."""
    gains = [row["psnr"] - row["bicubic_psnr"] for row in found["pictures"]]
    chosen = np.argsort(gains)[:_COMPARED]
    pictures, labels = [], []
    for i in chosen:
        answer, row = reconstruct(model, photos[i].read()), found["pictures"][i]
        pictures.append([answer.low, answer.bicubic, answer.upscaled, answer.truth])
        labels.append(
            [
                f"low resolution, 1:{answer.factor}\n",
                f"bicubic\n{row['bicubic_psnr']:.2f} dB, {row['bicubic_ssim']:.4f}",
                f"model\n{row['psnr']:.2f} dB, {row['ssim']:.4f}",
                "truth\n(PSNR, SSIM of all of it)",
            ]
        )
    return visualize.comparison(pictures, labels, [photos[i].name for i in chosen], title=title)


def summary(split, found):
    """The means of a split in a line."""
    count = found["num_pictures"]
    return (
        f"{split} PSNR {found['psnr']:.2f} dB, SSIM {found['ssim']:.4f}; "
        f"bicubic {found['bicubic_psnr']:.2f} dB, {found['bicubic_ssim']:.4f} "
        f"({count:,} {'picture' if count == 1 else 'pictures'})"
    )


def show(split, found):
    """Prints the numbers of a split: a line of means, and a table of the pictures."""
    typer.echo(f"{summary(split, found)}\n")
    rows = found["pictures"]
    shown = [*rows, {"name": "mean", **found}] if len(rows) > 1 else rows
    print_table(
        ("picture", "PSNR", "SSIM", "bicubic PSNR", "bicubic SSIM", "gain in dB"),
        [
            (
                row["name"],
                f"{row['psnr']:.2f}",
                f"{row['ssim']:.4f}",
                f"{row['bicubic_psnr']:.2f}",
                f"{row['bicubic_ssim']:.4f}",
                f"{row['psnr'] - row['bicubic_psnr']:+.2f}",
            )
            for row in shown
        ],
    )
