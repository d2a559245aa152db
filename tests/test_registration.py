"""What Keras needs to load a saved model is there after `import kerascnn` alone."""

import json

import keras
import numpy as np
import pytest

from kerascnn import losses, metrics
from tests import fresh_process

REGISTERED = """
import importlib, json, pkgutil, sys
import keras
import kerascnn
from keras.saving import get_custom_objects

def names():
    return {name for name in get_custom_objects() if name.startswith("kerascnn>")}

alone = names()
for package in (kerascnn, *map(importlib.import_module, sys.argv[1:])):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:  # of an extra
            if error.name.startswith("kerascnn"):
                raise
print(json.dumps([sorted(alone), sorted(names())]))
"""


def python(program, *arguments):
    return fresh_process.output(program, *arguments).strip().splitlines()


def test_every_registered_object_is_registered_by_the_import_alone():
    alone, all_of_them = json.loads(python(REGISTERED)[-1])
    assert alone == all_of_them
    assert {"kerascnn>CrossEntropy", "kerascnn>MeanIoU", "kerascnn>psnr"} < set(alone)


CLASSIFIER = {
    "cross_entropy": (losses.CrossEntropy(0.1), metrics.accuracy),
    "rbf_loss": (losses.RBFLoss(), metrics.accuracy),
}
SEGMENTER = {
    "cross_entropy": losses.PixelCrossEntropy([1.0, 2.0, 3.0], 0.1),
    "focal": losses.FocalLoss(1.5),
    "dice": losses.DiceLoss(),
    "lovasz": losses.LovaszSoftmax(),
    "sum": losses.dense_loss("cross_entropy+dice"),
}
CASES = {
    **{f"classifier_{name}": (*case, (3,), "int") for name, case in CLASSIFIER.items()},
    **{
        f"segmenter_{name}": (loss, metrics.MeanIoU(3), (4, 5, 3), "int")
        for name, loss in SEGMENTER.items()
    },
    "upscaler": ("mse", metrics.psnr, (4, 5, 3), "float"),
}

LOAD = """
import json, sys
import keras
import numpy as np
import kerascnn
found = {}
for path in sys.argv[1:]:
    model = keras.saving.load_model(path)
    data = np.load(path.replace(".keras", ".npz"))
    found[path] = model.evaluate(data["x"], data["y"], verbose=0)
print(json.dumps(found))
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one backend is enough")
def test_compiled_models_load_in_a_fresh_process_and_give_the_same_numbers(tmp_path):
    rng = np.random.default_rng(0)
    expected = {}
    for name, (loss, metric, shape, kind) in CASES.items():
        x = rng.normal(size=(4, *shape)).astype("float32")
        y = rng.integers(3, size=(4, *shape[:-1])) if kind == "int" else rng.uniform(size=x.shape)
        inputs = keras.Input(shape)
        model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
        model.compile("sgd", loss, metrics=[metric], run_eagerly=True)
        model.fit(x, y, verbose=0)
        path = tmp_path / f"{name}.keras"
        model.save(path)
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
        expected[str(path)] = model.evaluate(x, y, verbose=0)
    found = json.loads(python(LOAD, *expected)[-1])
    assert found.keys() == expected.keys()
    for path, numbers in expected.items():
        np.testing.assert_allclose(found[path], numbers, rtol=1e-5, err_msg=path)
