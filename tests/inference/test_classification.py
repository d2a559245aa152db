import warnings

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

from kerascnn.inference import Classification, classify

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


def many_answers(examples=500, classes=12):
    """Answers that are often wrong and surer than they are right."""
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=examples)
    logits = 3 * rng.normal(size=(examples, classes))
    logits[np.arange(examples), labels] += 4
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def calibration_error_by_loops(labels, probabilities, bins):
    """Guo et al., 2017, equation 3: of `M` bins, the `m`-th holds what is in `((m-1)/M, m/M]`."""
    error = 0.0
    for m in range(1, bins + 1):
        sure, right = [], []
        for label, row in zip(labels, probabilities, strict=True):
            if (m - 1) / bins < max(row) <= m / bins:
                sure.append(max(row))
                right.append(list(row).index(max(row)) == label)
        if sure:
            error += len(sure) / len(labels) * abs(np.mean(right) - np.mean(sure))
    return error


def test_metrics():
    metrics = Classification(LABELS, PROBABILITIES).metrics()
    assert metrics["accuracy"] == 0.6
    assert metrics["num_examples"] == 5
    expected = -np.log([0.7, 0.1, 0.4, 0.4, 0.5]).mean()
    np.testing.assert_allclose(metrics["loss"], expected)
    assert "top5_accuracy" not in metrics


@pytest.mark.parametrize("classes", [6, 12])
def test_top5_accuracy(classes):
    labels, probabilities = many_answers(classes=classes)
    hits = 0
    for label, row in zip(labels, probabilities, strict=True):
        hits += sum(other > row[label] for other in row) < 5
    found = Classification(labels, probabilities).metrics()["top5_accuracy"]
    assert found == hits / len(labels)
    assert found == sklearn.metrics.top_k_accuracy_score(labels, probabilities, k=5)
    assert found < 1


def test_top5_accuracy_takes_the_first_of_equals_as_accuracy_does():
    metrics = Classification(np.arange(10), np.full((10, 10), 0.1)).metrics()
    assert metrics["accuracy"] == 0.1
    assert metrics["top5_accuracy"] == 0.5
    metrics = Classification(np.zeros(3, int), np.full((3, 10), 0.1)).metrics()
    assert metrics["accuracy"] == metrics["top5_accuracy"] == 1


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_expected_calibration_error(bins):
    labels, probabilities = many_answers()
    found = Classification(labels, probabilities).expected_calibration_error(bins)
    np.testing.assert_allclose(found, calibration_error_by_loops(labels, probabilities, bins))
    if bins == 15:
        assert (
            Classification(labels, probabilities).metrics()["expected_calibration_error"] == found
        )


def test_calibration_worked_out_by_hand():
    answers = Classification(LABELS, PROBABILITIES)
    expected = [
        {"low": 0, "high": 0.25, "count": 0, "confidence": None, "accuracy": None},
        {"low": 0.25, "high": 0.5, "count": 3, "confidence": 1.4 / 3, "accuracy": 2 / 3},
        {"low": 0.5, "high": 0.75, "count": 1, "confidence": 0.7, "accuracy": 1},
        {"low": 0.75, "high": 1, "count": 1, "confidence": 0.8, "accuracy": 0},
    ]
    for row, other in zip(answers.calibration(bins=4), expected, strict=True):
        assert row == pytest.approx(other)
    # 3/5 (2/3 - 1.4/3) + 1/5 (1 - 0.7) + 1/5 (0.8 - 0)
    np.testing.assert_allclose(answers.expected_calibration_error(bins=4), 0.34)


def test_confidences_at_the_edges_have_their_bins():
    # 0 is no confidence of a softmax, but no reason to lose the example.
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 0.0]], "float32")
    answers = Classification(np.array([0, 0, 0, 1]), probabilities)
    rows = answers.calibration(bins=2)
    assert [row["count"] for row in rows] == [2, 2]  # 0 and 0.5, and twice 1
    assert [row["confidence"] for row in rows] == [0.25, 1]
    assert [row["accuracy"] for row in rows] == [0.5, 0.5]
    assert answers.expected_calibration_error(bins=2) == 0.375
    above = Classification(np.array([0]), np.array([[np.nextafter(1, 2), 0.0]]))
    assert above.calibration()[-1]["count"] == 1


def test_calibration_needs_a_bin():
    with pytest.raises(ValueError, match="`bins` must be at least 1; got bins=0."):
        Classification(LABELS, PROBABILITIES).calibration(bins=0)


def test_per_class():
    rows = Classification(LABELS, PROBABILITIES).per_class(["a", "b", "c"])
    expected = [
        {"class_name": "a", "precision": 2 / 3, "recall": 1, "f1": 0.8, "support": 2},
        {"class_name": "b", "precision": 0, "recall": 0, "f1": 0, "support": 2},  # never guessed
        {"class_name": "c", "precision": 0.5, "recall": 1, "f1": 2 / 3, "support": 1},
    ]
    for row, other in zip(rows, expected, strict=True):
        assert row == pytest.approx(other)


def test_per_class_counts_a_class_without_examples():
    answers = Classification(LABELS[:1], PROBABILITIES[:1])
    *_, last = answers.per_class(["a", "b", "c"])
    assert last == {"class_name": "c", "precision": 0, "recall": 0, "f1": 0, "support": 0}
    with pytest.raises(ValueError, match="must name each of the 3 classes; got 2 names."):
        answers.per_class(["a", "b"])


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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_probabilities_of_half_precision(dtype):
    labels, probabilities = many_answers()
    half = keras.ops.convert_to_numpy(keras.ops.cast(probabilities, dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # scikit-learn's, of rows that do not sum to 1
        found = Classification(labels, half).metrics()
    expected = Classification(labels, probabilities).metrics()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=0.02, err_msg=name)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_classify_takes_logits_of_half_precision(dtype):
    labels, probabilities = many_answers()
    logits = np.log(probabilities).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((logits, labels)).batch(64)
    model = keras.Sequential([keras.Input((12,)), keras.layers.Activation("linear", dtype=dtype)])
    answers = classify(model, dataset)
    assert answers.probabilities.dtype == "float32"
    np.testing.assert_allclose(answers.probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(answers.probabilities, probabilities, atol=0.02)
    right = labels == probabilities.argmax(axis=1)
    np.testing.assert_allclose(answers.metrics()["accuracy"], right.mean(), atol=0.01)


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_must_be_classes(label):
    with pytest.raises(ValueError, match=rf"`labels` must be in \[0, 2\).*got {label}"):
        Classification(np.array([0, label]), np.array([[0.7, 0.3], [0.6, 0.4]]))
