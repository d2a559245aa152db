"""The experiments of Fukushima, 1980: patterns shown at random places, and what the last cells do.

    python -m benchmarks.neocognitron_1980 --patterns 01234 --out docs/images/neocognitron_1980.png

Each pattern is shown 20 times, shifted at random by up to 2 pixels; no label is given. Prints the
cell of UC3 that answers most to each pattern, and how often it still does when the pattern is
shifted, larger, noisy or has gaps.
"""

import argparse

import numpy as np

# The paper shows its 16x16 patterns as figures only: these are drawn after them.
PATTERN_NAMES = "0123456789XYTZ"
_DRAWN = """
..####..  ....#...  ..####..  ..####..  .....#..  .######.  ....##..
.##..##.  ...##...  .#....#.  .#....#.  ....##..  .#......  ...#....
.#....#.  ....#...  .#....#.  ......#.  ...#.#..  .#......  ..#.....
.#....#.  ....#...  ......#.  ......#.  ..##.#..  .#......  .#......
.#....#.  ....#...  .....##.  ...###..  ..#..#..  .#####..  .#.###..
.#....#.  ....#...  ....##..  ......#.  .#...#..  ......#.  .##...#.
.#....#.  ....#...  ..##....  ......#.  .######.  ......#.  .#....#.
.#....#.  ....#...  .##.....  ......#.  .....#..  ......#.  .#....#.
.##..##.  ....#...  .#......  .#....#.  .....#..  .#....#.  ..#...#.
..####..  ....#...  .######.  ..####..  .....#..  ..####..  ...###..

.######.  ..####..  ...###..  .#....#.  .#....#.  .######.  .######.
......#.  .#....#.  ..#...#.  .#....#.  .#....#.  ....#...  ......#.
.....#..  .#....#.  .#....#.  ..#..#..  ..#..#..  ....#...  .....#..
.....#..  .#....#.  .#....#.  ..#..#..  ..#..#..  ....#...  .....#..
....#...  ..####..  ..#..##.  ...##...  ...##...  ....#...  ....#...
....#...  .#....#.  ...##.#.  ...##...  ...#....  ....#...  ...#....
...#....  .#....#.  ......#.  ..#..#..  ...#....  ....#...  ..#.....
...#....  .#....#.  .....#..  ..#..#..  ...#....  ....#...  ..#.....
..#.....  .#....#.  ....#...  .#....#.  ...#....  ....#...  .#......
..#.....  ..####..  ..##....  .#....#.  ...#....  ....#...  .######.
"""
PATTERNS = dict(
    zip(
        PATTERN_NAMES,
        (
            np.array([[mark == "#" for mark in mark_row] for mark_row in drawn], "float32")
            for block in _DRAWN.strip().split("\n\n")
            for drawn in zip(*(line.split() for line in block.splitlines()), strict=True)
        ),
        strict=True,
    )
)
SHIFTS = [(row, column) for row in range(-2, 3) for column in range(-2, 3)]


def pattern(name, row=0, column=0, size=16):
    """A pattern as an image of shape `(size, size)`, in the middle or shifted."""
    drawn = PATTERNS[name]
    image = np.zeros((size, size), "float32")
    top, left = (size - drawn.shape[0]) // 2 + row, (size - drawn.shape[1]) // 2 + column
    image[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return image


def presentations(names, rounds=20, seed=0, shift=2):
    """Batches of one image and its label: every pattern once in each round, at a random place."""
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        for label, name in enumerate(names):
            image = pattern(name, *rng.integers(-shift, shift + 1, 2))
            yield image[np.newaxis, :, :, np.newaxis], np.array([label])


def learn(names, seed=0, rounds=20, **options):
    """Returns the model after it has seen the patterns, and a model of its last cells alone."""
    import keras

    from kerascnn.models import create_model
    from kerascnn.training import SelfOrganization, self_organize

    model = create_model("neocognitron_1980", (16, 16, 1), len(names))
    shown = list(presentations(names, rounds, seed))
    settings = SelfOrganization(margin=0.0, stage_images=len(shown), **options)
    model, _ = self_organize(model, {"train": shown}, settings)
    return model, keras.Model(model.inputs[0], model.get_layer("stage3_c_cells").output)


def answers(cells, images):
    """What the 24 cells of UC3 answer to images of shape `(count, 16, 16)`."""
    import keras

    found = cells.predict_on_batch(np.asarray(images, "float32")[..., np.newaxis])
    return keras.ops.convert_to_numpy(found).reshape(len(images), -1)


def winners(cells, names):
    """The cell that responds most to each pattern in the middle, and all responses to them."""
    found = answers(cells, [pattern(name) for name in names])
    return found.argmax(1), found


def shifted_winners(cells, names):
    """How many of all shifts of all patterns keep their winner: `(kept, all)`."""
    first, _ = winners(cells, names)
    found = answers(cells, [pattern(name, *shift) for name in names for shift in SHIFTS])
    right = is_answered_by(found, np.repeat(first, len(SHIFTS)))
    return int(right.sum()), right.size


def is_answered_by(found, cells):
    """Whether a cell responds to each image, and more than all others."""
    return (found.argmax(1) == cells) & (found.max(1) > 0)


def variants(name, seed=0):
    """Figure 6 of the paper: the pattern shifted, in other sizes, with noise and with gaps."""
    from scipy.ndimage import zoom

    rng = np.random.default_rng([seed, *map(ord, name)])
    image = pattern(name)

    def sized(factor):
        larger = zoom(image, factor, order=1) > 0.35
        found = np.zeros((16, 16), "float32")
        top, left = ((16 - side) // 2 for side in larger.shape)
        inside = larger[max(-top, 0) : max(-top, 0) + 16, max(-left, 0) : max(-left, 0) + 16]
        top, left = max(top, 0), max(left, 0)
        found[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
        return found

    def noisy(count):
        found, places = image.copy(), np.flatnonzero(image == 0)
        found.flat[rng.choice(places, count, replace=False)] = 1
        return found

    def with_gaps(count):
        found, places = image.copy(), np.flatnonzero(image)
        found.flat[rng.choice(places, count, replace=False)] = 0
        return found

    return {
        "learned": [image],
        "shifted": [pattern(name, -2, -2), pattern(name, 2, 2), pattern(name, -3, 3)],
        "size": [sized(0.8), sized(0.9), sized(1.2)],
        "noise": [noisy(3), noisy(6), noisy(10)],
        "gaps": [with_gaps(2), with_gaps(4), with_gaps(6)],
    }


def tolerance(cells, names):
    """For each pattern and kind of change: the images, and whether the same cell responds most."""
    first, _ = winners(cells, names)
    found = []
    for name, own in zip(names, first, strict=True):
        images = variants(name)
        found.append(
            {
                kind: (group, is_answered_by(answers(cells, group), own).tolist())
                for kind, group in images.items()
            }
        )
    return found


def draw(rows, names, path):
    """Draws a row for each pattern, with a green frame where its own cell responds most."""
    from matplotlib.figure import Figure

    columns = sum(len(group) for group, _ in rows[0].values())
    figure = Figure(figsize=(0.9 * columns, 1.1 * len(rows)), dpi=110, layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, row, name in zip(grid, rows, names, strict=True):
        flat = [
            (kind if i == 0 else "", image, known)
            for kind, (group, right) in row.items()
            for i, (image, known) in enumerate(zip(group, right, strict=True))
        ]
        for axes, (kind, image, known) in zip(line, flat, strict=True):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(color="tab:green" if known else "tab:red", linewidth=2)
            if name == names[0]:
                axes.set_title(kind, fontsize=8)
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", default="01234")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", help="a figure of what the first start tolerates")
    given = parser.parse_args()
    names = given.patterns
    for seed in range(given.seeds):
        _, cells = learn(names, seed)
        first, found = winners(cells, names)
        ordered = np.sort(found, 1)
        print(
            f"seed {seed}: cells {first.tolist()}, "
            f"{len(set(first[found.max(1) > 0].tolist()))} of them that answer for "
            f"{len(names)} patterns; they answer",
            ", ".join(f"{answer:.2f}" for answer in ordered[:, -1]),
            "and the next cell at most",
            f"{ordered[:, -2].max():.2f};",
            "kept under shifts: {} of {}".format(*shifted_winners(cells, names)),
            flush=True,
        )
        rows = tolerance(cells, names)
        kept = {kind: [sum(row[kind][1]) for row in rows] for kind in rows[0]}
        print(
            "    kept",
            {kind: f"{sum(n)} of {len(rows[0][kind][0]) * len(names)}" for kind, n in kept.items()},
            flush=True,
        )
        if given.out and seed == 0:
            draw(rows, names, given.out)


if __name__ == "__main__":
    main()
