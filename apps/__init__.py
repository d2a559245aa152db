"""Apps over kerascnn: the command `kerascnn` and what it does."""
