"""The command `kerascnn`."""
