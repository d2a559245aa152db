"""Losses: one value for a batch. Their backward takes `dloss`, which is 1 for the final loss."""

import numpy as np

from kerascnn.reference.activations import softmax


def softmax_cross_entropy(logits, labels):
    """Computes the mean over the batch of `-log(softmax(logits)[label])`.

    `logits` is `(n, classes)`, `labels` `(n,)` ints. The logarithm is expanded,
    `-log(exp(l[label]) / sum(exp(l))) = log(sum(exp(l))) - l[label]`, and the largest logit is
    subtracted first, which prevents overflow and a logarithm of 0.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    of_labels = shifted[np.arange(len(labels)), labels]
    return (np.log(np.exp(shifted).sum(axis=-1)) - of_labels).mean()


def softmax_cross_entropy_backward(dloss, logits, labels):
    """Gradient `dlogits`.

    `log(sum(exp(l)))` has the derivative `softmax(l)`, and `-l[label]` subtracts 1 at the label;
    the mean divides by the batch size: `(softmax(logits) - one_hot(labels)) / n`.
    """
    dlogits = softmax(logits)
    dlogits[np.arange(len(labels)), labels] -= 1
    return dloss * dlogits / len(labels)


def squared_loss(y, target):
    """Computes the mean of `(y - target)**2` over all elements; both have the same shape."""
    return ((y - target) ** 2).mean()


def squared_loss_backward(dloss, y, target):
    """Gradient `dy`: the derivative `2 * (y - target)` of a square, divided by the size."""
    return dloss * 2 * (y - target) / y.size
