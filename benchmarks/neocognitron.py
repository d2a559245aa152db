"""What a Neocognitron makes of MNIST: accuracy, what each part earns, and what it tolerates.

    python benchmarks/neocognitron.py accuracy --images 3000 --margin 0.1 --seed 0
    python benchmarks/neocognitron.py parts
    python benchmarks/neocognitron.py network --model lenet5 --images 3000 --augment
    python benchmarks/neocognitron.py tolerance --out docs/images/neocognitron_tolerance.png

Images are drawn from the 60,000 training images by the seed; the last 6,000 of the order are never
learned from, unless all are, and serve to choose settings (`--held-out`) and to calibrate. Every
command prints one line a result.
"""

import argparse
import os
import time

# One thread, so that others can work and times compare.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

HELD_OUT = 6_000


def mnist(data_dir):
    """`{"train": (images, labels), "test": ...}` with uint8 images of shape `(count, 28, 28)`."""
    import tensorflow_datasets as tfds

    return {
        split: tfds.as_numpy(
            tfds.load("mnist", split=split, data_dir=data_dir, as_supervised=True, batch_size=-1)
        )
        for split in ("train", "test")
    }


class Batches:
    """Batches of float images and their labels, in their order."""

    def __init__(self, images, labels, size=128):
        self.images, self.labels, self.size = images, labels, size

    def __iter__(self):
        for i in range(0, len(self.images), self.size):
            images = self.images[i : i + self.size].astype("float32") / 255
            yield images.reshape(-1, 28, 28, 1), self.labels[i : i + self.size]


def drawn(data, count, seed):
    """Images to learn from and those that are held out, by the seed."""
    images, labels = data["train"]
    order = np.random.default_rng(seed).permutation(len(images))
    chosen, kept = order[:count], order[-HELD_OUT:]
    return Batches(images[chosen], labels[chosen]), Batches(images[kept], labels[kept])


def accuracy(model, batches):
    right = count = 0
    for images, labels in batches:
        logits = keras.ops.convert_to_numpy(model.predict_on_batch(images))
        right += int((logits.argmax(1) == labels).sum())
        count += len(labels)
    return right / count


def learned(data, count, seed, passes=1, options=None, **settings):
    """A Neocognitron, its history, and how long it took to learn: by the clock, and of the CPU."""
    from kerascnn.models import create_model
    from kerascnn.training import SelfOrganization, self_organize

    train, kept = drawn(data, count, seed)
    model = create_model("neocognitron", (28, 28, 1), 10, **(options or {}))
    wall, cpu = time.perf_counter(), time.process_time()
    splits = {"train": train} if count + HELD_OUT > 60_000 else {"train": train, "validation": kept}
    model, history = self_organize(model, splits, SelfOrganization(**settings), passes=passes)
    return model, history, time.perf_counter() - wall, time.process_time() - cpu


def report_accuracy(given, data):
    settings = {"margin": given.margin, "top_rule": given.top_rule}
    model, history, wall, cpu = learned(
        data, given.images, given.seed, given.passes, max_vectors=60_000, **settings
    )
    test = drawn(data, 0, given.seed)[1] if given.held_out else Batches(*data["test"])
    began = time.perf_counter()
    found = accuracy(model, test)
    each = (time.perf_counter() - began) / len(test.images)
    cells = {row["stage"]: row["cells"] for row in history}
    print(
        f"| {given.images:,} | {given.seed} | {given.top_rule}, {given.margin} | "
        f"{cells['stage2_s_cells']} | {cells['logits']:,} | {found:.2%} | "
        f"{wall:.0f} s ({cpu:.0f} s of CPU) | {1000 * each:.1f} ms |",
        flush=True,
    )


def report_parts(given, data):
    """Every image of 3,000 is kept as a vector, so that the parts differ in nothing else."""
    from keras import layers as keras_layers

    from kerascnn import layers
    from kerascnn.models import create_model
    from kerascnn.training import SelfOrganization, self_organize

    train, kept = drawn(data, given.images, given.seed)
    everything = SelfOrganization(margin=1.99, max_vectors=60_000)
    inputs = keras.Input((28, 28, 1))
    full = create_model("neocognitron")
    edges = full.get_layer("stage1_c_cells").output
    bodies = {
        "raw pixels": lambda: (inputs, inputs),
        "edges (contrast, S-cells, C-cells)": lambda: (full.inputs[0], edges),
        "edges, learned stage": lambda: (
            full.inputs[0],
            full.get_layer("stage2_c_cells").output,
        ),
    }
    for name, body in bodies.items():
        for neighbors in (1, 10):
            first, x = body()
            outputs = layers.InterpolatingVectors((1,) * 10, neighbors)(keras_layers.Flatten()(x))
            model = keras.Model(first, outputs)
            model, _ = self_organize(model, {"train": train}, everything)
            kind = "nearest vector" if neighbors == 1 else "interpolating"
            print(f"| {name} | {kind} | {accuracy(model, kept):.2%} |", flush=True)


def network(data, name, count, seed, augment):
    """LeNet-5 or the MLP, trained on the same images with the recipe for so many."""
    import tensorflow as tf

    from kerascnn.data import order
    from kerascnn.models import create_model
    from kerascnn.tasks.classification_recipes import CHARACTERS, RECIPES, SMALL

    keras.utils.set_random_seed(seed)
    train, kept = drawn(data, count, seed)
    recipe = RECIPES.choose(
        "small" if count < SMALL else "standard", name, {}, augmentation=CHARACTERS
    )
    images = np.concatenate([images for images, _ in train])
    steps = -(-count // recipe.batch_size)
    change = recipe.augmentation.function(10)

    def batches(epoch):
        places = order.permutation(order.epoch_key(seed, epoch), count)
        parts = (tf.gather(images, places), tf.gather(train.labels, places))
        dataset = tf.data.Dataset.from_tensor_slices(parts).batch(recipe.batch_size)
        if not augment:
            return dataset
        keys = tf.data.Dataset.from_tensor_slices(
            order.keys(order.epoch_key(seed, epoch, purpose=1), steps)
        )
        return tf.data.Dataset.zip(dataset, keys).map(lambda batch, key: change(*batch, key))

    dataset = order.by_epoch(batches, steps)
    model = create_model(name, (28, 28, 1), 10)
    model.compile(
        recipe.make_optimizer(recipe.epochs * steps),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch=False)] if recipe.ema else []
    began = time.perf_counter()
    # The last epoch counts: the images that are held out choose nothing.
    model.fit(dataset, epochs=recipe.epochs, callbacks=callbacks, verbose=0)
    del kept
    return model, recipe, time.perf_counter() - began


def report_network(given, data):
    model, recipe, seconds = network(data, given.model, given.images, given.seed, given.augment)
    found = accuracy(model, Batches(*data["test"]))
    augmented = "with" if given.augment else "without"
    print(
        f"| `{given.model}`, {augmented} augmentation | {given.images:,} | {given.seed} | "
        f"{recipe.epochs} epochs, {seconds:.0f} s | {found:.2%} |",
        flush=True,
    )
    if given.save:
        model.save(given.save)


def turned(images, degrees=0.0, zoom=1.0, shift=(0.0, 0.0)):
    """Images turned, enlarged and shifted about their middle, by bilinear interpolation."""
    from scipy.ndimage import affine_transform

    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / zoom
    middle = np.array([13.5, 13.5])
    offset = middle - matrix @ (middle + np.array(shift))
    return np.stack([affine_transform(image, matrix, offset, order=1) for image in images])


def changes(images, seed=0):
    """`{what: [(how much, changed images), ...]}`, lazily."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=images.shape)
    places = rng.integers(4, 24, size=(len(images), 2))
    directions = rng.uniform(0, 2 * np.pi, len(images))

    def shifted(pixels):
        return np.stack(
            [
                turned([image], shift=(pixels * np.sin(angle), pixels * np.cos(angle)))[0]
                for image, angle in zip(images, directions, strict=True)
            ]
        )

    def without_part(side):
        found = images.copy()
        for image, (row, column) in zip(found, places, strict=True):
            top, left = max(row - side // 2, 0), max(column - side // 2, 0)
            image[top : top + side, left : left + side] = 0
        return found

    return {
        "shift in pixels": [(pixels, lambda p=pixels: shifted(p)) for pixels in range(7)],
        "scale": [
            (zoom, lambda z=zoom: turned(images, zoom=z))
            for zoom in (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
        ],
        "rotation in degrees": [
            (degrees, lambda d=degrees: turned(images, d)) for degrees in range(-30, 31, 10)
        ],
        "noise (standard deviation)": [
            (strength, lambda s=strength: np.clip(images + s * noise, 0, 1))
            for strength in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
        ],
        "missing square, side in pixels": [
            (side, lambda s=side: without_part(s)) for side in (0, 4, 6, 8, 10, 12)
        ],
    }


def report_tolerance(given, data):
    models = {
        "Neocognitron": learned(data, given.images, given.seed)[0],
        "LeNet-5": network(data, "lenet5", given.images, given.seed, False)[0],
        "LeNet-5, augmented": network(data, "lenet5", given.images, given.seed, True)[0],
        "MLP": network(data, "mlp", given.images, given.seed, False)[0],
        "MLP, augmented": network(data, "mlp", given.images, given.seed, True)[0],
    }
    images, labels = data["test"]
    images = images[: given.tested].reshape(-1, 28, 28).astype("float32") / 255
    labels = labels[: given.tested]
    rates = {}
    for what, steps in changes(images).items():
        changed = {amount: change().astype("float32") for amount, change in steps}
        print(f"\n| {what} | " + " | ".join(f"{amount:g}" for amount in changed) + " |")
        print("|---" * (len(changed) + 1) + "|")
        for name, model in models.items():
            found = [accuracy(model, Batches(255 * inputs, labels)) for inputs in changed.values()]
            rates[what, name] = list(changed), [100 * rate for rate in found]
            print(f"| {name} | " + " | ".join(f"{100 * rate:.1f}" for rate in found) + " |")
    if given.out:
        draw_tolerance(rates, f"accuracy on {len(labels):,} test images, %").savefig(given.out)


def draw_tolerance(rates, label):
    """Returns a figure of `{(change, model): (amounts, percentages)}`, one plot per change."""
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(what for what, _ in rates))
    figure = Figure(figsize=(12, 7), dpi=110, layout="constrained")
    plots = figure.subplots(2, 3).ravel()
    for axes, kind in zip(plots, kinds, strict=False):
        for (what, name), (amounts, percentages) in rates.items():
            if what == kind:
                style = "--" if "augmented" in name else "-"
                axes.plot(amounts, percentages, style, marker=".", label=name)
        axes.set(xlabel=kind, ylabel=label, ylim=(0, 101))
        axes.grid(alpha=0.3)
    unused = plots[len(kinds)]
    unused.axis("off")
    unused.legend(*plots[0].get_legend_handles_labels(), loc="center", fontsize="large")
    return figure


COMMANDS = {
    "accuracy": report_accuracy,
    "parts": report_parts,
    "network": report_network,
    "tolerance": report_tolerance,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=list(COMMANDS))
    parser.add_argument("--data-dir", default="../shared/data/tfds")
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--margin", type=float, default=0.1)
    parser.add_argument("--top-rule", default="misread")
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--model", default="lenet5")
    parser.add_argument("--augment", action="store_true")
    parser.add_argument("--tested", type=int, default=2000)
    parser.add_argument("--save")
    parser.add_argument("--out")
    given = parser.parse_args()
    COMMANDS[given.command](given, mnist(given.data_dir))


if __name__ == "__main__":
    main()
