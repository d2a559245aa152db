import keras
import numpy as np
import tensorflow as tf

from kerascnn.training import Classification, classify

# Five images of three classes, worked out by hand.
LABELS = np.array([0, 1, 2, 1, 0])
PROBABILITIES = np.array(
    [
        [0.7, 0.2, 0.1],  # right, surely
        [0.8, 0.1, 0.1],  # wrong, surely
        [0.3, 0.3, 0.4],  # right, barely
        [0.1, 0.4, 0.5],  # wrong, barely
        [0.5, 0.3, 0.2],  # right
    ]
)


def test_metrics():
    metrics = Classification(LABELS, PROBABILITIES).metrics()
    assert metrics["accuracy"] == 0.6
    assert metrics["num_examples"] == 5
    expected = -np.log([0.7, 0.1, 0.4, 0.4, 0.5]).mean()
    np.testing.assert_allclose(metrics["loss"], expected)


def test_confusion_matrix_has_true_classes_in_rows():
    matrix = Classification(LABELS, PROBABILITIES).confusion_matrix()
    np.testing.assert_array_equal(matrix, [[2, 0, 0], [1, 0, 1], [0, 0, 1]])


def test_worst_mistakes_come_first():
    order = Classification(LABELS, PROBABILITIES).worst_first()
    np.testing.assert_array_equal(order, [1, 3, 2, 4, 0])


def test_classify_pairs_answers_with_truths_in_a_shuffled_pipeline():
    x = np.eye(40, dtype="float32")
    dataset = tf.data.Dataset.from_tensor_slices((x, np.arange(40))).shuffle(40).batch(15)
    model = keras.Sequential([keras.Input((40,)), keras.layers.Rescaling(10.0)])
    answers = classify(model, dataset)
    np.testing.assert_array_equal(np.sort(answers.labels), np.arange(40))
    assert answers.metrics()["accuracy"] == 1
    x = x[answers.labels]
    expected = np.exp(10 * x) / np.exp(10 * x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers.probabilities, expected, rtol=1e-5)
