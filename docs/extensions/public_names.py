"""The directive `public-names`: a table of names of a package, and the page of each.

    ```{public-names} kerascnn.layers
    GroupConv2D
    DepthwiseConv2D
    ```

The tests compare what the pages list with `__all__`.
"""

import importlib
import inspect

from sphinx.util.docutils import SphinxDirective


def setup(app):
    """Adds the directive, and the links from a layer to its operation and its loops."""
    app.add_directive("public-names", PublicNames)
    app.connect("autodoc-process-signature", _signature_of_init)
    # After the docstring has become reStructuredText.
    app.connect("autodoc-process-docstring", _link_layer, priority=900)
    return {"parallel_read_safe": True}


class PublicNames(SphinxDirective):
    """Lists names with the first line of their docstrings, then documents each."""

    required_arguments = 1
    has_content = True

    def run(self):
        package = importlib.import_module(self.arguments[0])
        self.env.note_dependency(package.__file__)
        names = [line.strip() for line in self.content if line.strip()]
        text = [*_table(package, names), "", "```{eval-rst}"]
        for name in names:
            text += [*_documented(package, name), ""]
        return self.parse_text_to_nodes("\n".join([*text, "```"]))


def _table(package, names):
    yield "| name | |"
    yield "|---|---|"
    for name in names:
        member = getattr(package, name)
        if isinstance(member, str | int | tuple | frozenset):
            summary = f"`{member!r}`"
        elif hasattr(member, "shape"):  # a kernel of an image filter
            summary = _rows(member)
        else:
            summary = inspect.getdoc(member).split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
        link = name if _is_constant(member) else f"{{py:obj}}`{name} <{package.__name__}.{name}>`"
        yield f"| {link} | {summary} |"


def _is_constant(member):
    return not (callable(member) or inspect.isclass(member))


def _rows(kernel):
    """Returns the numbers of a kernel as they are written in the source."""

    def is_whole(divisor):
        return abs(kernel * divisor - (kernel * divisor).round()).max() < 1e-4

    divisor = next(filter(is_whole, (1, 9, 16, 256)))
    rows = "; ".join(" ".join(f"{n:.0f}" for n in row) for row in kernel * divisor)
    return rows if divisor == 1 else f"{rows}, divided by {divisor}"


def _documented(package, name):
    member = getattr(package, name)
    if _is_constant(member):
        return []
    if not inspect.isclass(member):
        return [f".. autofunction:: {package.__name__}.{name}"]
    own = [key for key in vars(member) if _is_documented(member, key)]
    options = [f"   :members: {', '.join(own)}"] if own else []
    return [f".. autoclass:: {package.__name__}.{name}", *options]


def _is_documented(member, key):
    """Whether a class explains this method or property itself."""
    value = inspect.getattr_static(member, key)
    value = getattr(value, "__func__", value)
    is_method = inspect.isfunction(value) or isinstance(value, property)
    return not key.startswith("_") and is_method and bool(value.__doc__)


# Loops that have another name than their operation
_LOOPS = {"max_pool_with_argmax2d": "max_pool2d"}


def operations_of(layer):
    """Returns the names of the operations of a layer: the one of its name, or all of its file."""
    from kerascnn import ops

    file = layer.__module__.rpartition(".")[2]
    public = [
        name for name in ops.__all__ if getattr(ops, name).__module__ == f"kerascnn.ops.{file}"
    ]
    same = [name for name in public if name.replace("_", "") == layer.__name__.lower()]
    return same or public


def loops_of(operation):
    """Returns the names of the NumPy loops that do the same as an operation."""
    from kerascnn import reference

    name = _LOOPS.get(operation, operation)
    loops = [name, f"{name}_backward"]
    return [name for name in loops if name in reference.__all__]


def _signature_of_init(app, what, name, obj, options, signature, returns):
    """Shows the arguments of a Keras object, whose `__new__` takes anything."""
    if what == "class" and "__init__" in vars(obj) and signature == "(*args, **kwargs)":
        parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
        return str(inspect.Signature(parameters)), returns
    return None


def _link_layer(app, what, name, obj, options, lines):
    if what != "class" or not name.startswith("kerascnn.layers."):
        return
    operations = operations_of(obj)
    loops = [loop for operation in operations for loop in loops_of(operation)]
    found = [("As a function", "ops", operations), ("As NumPy loops", "reference", loops)]
    links = [
        f"{title}: " + ", ".join(f":py:func:`kerascnn.{part}.{name}`" for name in names)
        for title, part, names in found
        if names
    ]
    lines += ["", ".. seealso::", "", "   " + "; ".join(links) + ".", ""] if links else []
