"""Exported models in the runtime of their format.

Each module has a class `Model(path)` with `metadata`, a dict; `inputs`, the names of the inputs;
and `__call__(**arrays)`, which returns a dict of arrays. The modules do not import kerascnn: a
fresh process runs them directly, to verify that exported models do not need it.
"""
