"""Commands whose options are data."""

import inspect


def with_options(function, parameters):
    """Gives a function of keyword arguments the signature that Typer makes a command from."""
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
