"""The dense, or fully connected, layer."""


def dense(x, kernel, bias):
    """`y[o] = sum(x[i] * kernel[i, o] for i) + bias[o]` for every row of `x`.

    `x` is `(n, inputs)`, `kernel` `(inputs, outputs)`, `bias` `(outputs,)`, `y` `(n, outputs)`.
    """
    return x @ kernel + bias


def dense_backward(dy, x, kernel):
    """Gradients `(dx, dkernel, dbias)`.

    `x[n, i]` is multiplied by `kernel[i, o]` in `y[n, o]`: summing over the outputs gives `dx`,
    summing over the rows `dkernel`; the bias is added to every row, so its gradient is the sum over
    the rows.
    """
    return dy @ kernel.T, x.T @ dy, dy.sum(axis=0)
