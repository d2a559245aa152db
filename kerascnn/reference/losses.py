"""Losses: one number for a batch. Their backward takes `dloss`, 1 where the loss is the end."""

import numpy as np

from kerascnn.reference.activations import softmax


def softmax_cross_entropy(logits, labels):
    """The mean over the batch of `-log(softmax(logits)[label])`.

    `logits` is `(n, classes)`, `labels` `(n,)` ints. The logarithm is taken apart,
    `-log(exp(l[label]) / sum(exp(l))) = log(sum(exp(l))) - l[label]`, with the largest logit
    subtracted first, so that nothing overflows and no logarithm of 0 is taken.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    of_labels = shifted[np.arange(len(labels)), labels]
    return (np.log(np.exp(shifted).sum(axis=-1)) - of_labels).mean()


def softmax_cross_entropy_backward(dloss, logits, labels):
    """Gradient `dlogits`.

    `log(sum(exp(l)))` has the slope `softmax(l)`, and `-l[label]` takes 1 off at the label; the
    mean divides by the batch: `(softmax(logits) - one_hot(labels)) / n`.
    """
    dlogits = softmax(logits)
    dlogits[np.arange(len(labels)), labels] -= 1
    return dloss * dlogits / len(labels)


def squared_loss(y, target):
    """The mean over all elements of `(y - target)**2`; both have the same shape."""
    return ((y - target) ** 2).mean()


def squared_loss_backward(dloss, y, target):
    """Gradient by `y`: a square has the slope `2 * (y - target)`; the mean divides by the size."""
    return dloss * 2 * (y - target) / y.size
