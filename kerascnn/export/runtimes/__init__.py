"""Exported models in the runtime of their format.

Each module has a class `Model(path)` with `metadata`, a dict; `inputs`, the names of the inputs;
and `__call__(**arrays)`, which returns a dict of arrays. The modules import nothing of kerascnn: a
fresh process runs them as they are, to show that an export needs no more.
"""
