"""Commands whose options are defined by a dictionary."""

import inspect


def with_options(function, parameters):
    """Sets the signature of a keyword-only function, from which Typer builds a command."""
    function.__signature__ = inspect.Signature(
        [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
            )
            for name, (annotation, default) in parameters.items()
        ]
    )
    function.__annotations__ = {name: annotation for name, (annotation, _) in parameters.items()}
    return function
