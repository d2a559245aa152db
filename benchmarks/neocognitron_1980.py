"""The experiments of Fukushima, 1980: patterns shown at random places, and what the last cells do.

    python -m benchmarks.neocognitron_1980 --patterns 01234 --out docs/images/neocognitron_1980.png

Each pattern is shown 20 times, shifted at random by up to 2 pixels; no label is told. Prints the
cell of UC3 that answers most to each pattern, and how often it still does when the pattern is
shifted, larger, noisy or has gaps.
"""

import argparse

import numpy as np

# The paper shows its 16x16 patterns as pictures only: these are drawn after them.
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
    model, _ = self_organize(model, {"train": shown}, SelfOrganization(margin=0.0, **options))
    return model, keras.Model(model.inputs[0], model.get_layer("stage3_c_cells").output)


def answers(cells, images):
    """What the 24 cells of UC3 answer to images of shape `(count, 16, 16)`."""
    import keras

    found = cells.predict_on_batch(np.asarray(images, "float32")[..., np.newaxis])
    return keras.ops.convert_to_numpy(found).reshape(len(images), -1)


def winners(cells, names):
    """The cell that answers most to each pattern in the middle, and all answers to them."""
    found = answers(cells, [pattern(name) for name in names])
    return found.argmax(1), found


def shifted_winners(cells, names):
    """How many of all shifts of all patterns keep their winner: `(kept, all)`."""
    first, _ = winners(cells, names)
    found = answers(cells, [pattern(name, *shift) for name in names for shift in SHIFTS])
    kept = found.argmax(1).reshape(len(names), -1) == first[:, np.newaxis]
    return int(kept.sum()), kept.size


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", default="01234")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    for seed in range(given.seeds):
        _, cells = learn(given.patterns, seed)
        first, found = winners(cells, given.patterns)
        other = np.sort(found, 1)[:, -2] / found.max(1)
        print(
            f"seed {seed}: cells {first.tolist()}, {len(set(first.tolist()))} of them;",
            f"answers {found.max(1).round(2).tolist()}, next cell at most {other.max():.0%} of it;",
            "kept under shifts: {} of {}".format(*shifted_winners(cells, given.patterns)),
        )


if __name__ == "__main__":
    main()
