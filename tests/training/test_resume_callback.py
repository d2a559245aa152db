"""`Resume` in a plain `model.fit`."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn import data
from kerascnn.data import Augmentation
from kerascnn.training import (
    Recipe,
    Resume,
    fit,
)
from tests.nightly import every_night
from tests.training.test_resume import PulledPlugError, classifier, digits


def arrays():
    found = data.load_classification("digits")
    images, labels = next(iter(found.pipeline("validation", batch_size=180)))
    return images.numpy(), labels.numpy()


def plain_fit(callbacks, dataset, epochs=3, stop=None):
    model = classifier(0.4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss, metrics=["accuracy"])
    if stop is not None:
        callbacks = [*callbacks, Stop(*stop)]
    try:
        history = model.fit(dataset, epochs=epochs, callbacks=callbacks, verbose=0)
    except PulledPlugError:
        return None
    return model.get_weights(), history.epoch, history.history


class Stop(keras.callbacks.Callback):
    def __init__(self, epoch, batch):
        super().__init__()
        self.place, self.epoch = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise PulledPlugError


def fixed_order():
    return tf.data.Dataset.from_tensor_slices(arrays()).batch(30)


def equal(one, other):
    return one[1:] == other[1:] and all(
        np.array_equal(a, b) for a, b in zip(one[0], other[0], strict=True)
    )


def test_resume_is_exact_where_backup_and_restore_is_not(tmp_path):
    whole = plain_fit([], fixed_order())

    def resumed(make):
        assert plain_fit([make()], fixed_order(), stop=(1, 3)) is None
        return plain_fit([make()], fixed_order())

    assert equal(resumed(lambda: Resume(tmp_path / "exact", every=2)), whole)
    again = plain_fit([Resume(tmp_path / "exact")], fixed_order())  # nothing is left to do
    assert again[1:] == whole[1:]
    backup = resumed(lambda: keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=2))
    assert not equal(backup, whole)


class Shuffled(keras.utils.PyDataset):
    """Batches in an order that is another one in every epoch."""

    def __init__(self):
        super().__init__()
        self.images, self.labels = arrays()
        self.on_epoch_begin()  # Keras looks at batches before the first epoch

    def __len__(self):
        return 6

    def on_epoch_begin(self):
        rng = np.random.default_rng((5, data.current_epoch()))
        self.order = rng.permutation(180)

    def __getitem__(self, index):
        chosen = self.order[30 * index : 30 * index + 30]
        return self.images[chosen], self.labels[chosen]


def ours():
    return digits(Recipe(epochs=1, augmentation=Augmentation(shift=0.1)))["train"]


@pytest.mark.parametrize("make", every_night([Shuffled, ours], [Shuffled]))
def test_data_of_the_user_in_another_order_in_every_epoch(make, tmp_path):
    whole = plain_fit([Resume(tmp_path / "whole")], make())
    assert plain_fit([Resume(tmp_path / "run", every=2)], make(), stop=(1, 3)) is None
    assert equal(plain_fit([Resume(tmp_path / "run", every=2)], make()), whole)


def test_the_state_of_other_callbacks_is_kept(tmp_path):
    def early():
        return keras.callbacks.EarlyStopping("loss", patience=2, min_delta=0.5)

    whole = plain_fit([early()], fixed_order(), epochs=9)
    stopper = early()
    callbacks = [stopper, Resume(tmp_path, callbacks=[stopper])]
    assert plain_fit(callbacks, fixed_order(), epochs=9, stop=(2, 1)) is None
    stopper = early()
    callbacks = [stopper, Resume(tmp_path, callbacks=[stopper])]
    assert equal(plain_fit(callbacks, fixed_order(), epochs=9), whole)
    assert len(whole[1]) < 9


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    plain_fit([Resume(tmp_path)], fixed_order(), epochs=1)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="belongs to another training"):
        model.fit(fixed_order(), callbacks=[Resume(tmp_path)], verbose=0)


@pytest.mark.parametrize("every", [0, -1, "5 minutes", "x", True, 1.5])
def test_wrong_frequencies(every, tmp_path):
    with pytest.raises(ValueError, match="`checkpoint_every` must be a number of steps"):
        Resume(tmp_path, every=every)


def test_fit_takes_a_py_dataset(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = fit(
            classifier(),
            {"train": Shuffled(), "validation": fixed_order()},
            Recipe(epochs=1),
            tmp_path / "run",
        )
    assert len(rows) == 1
