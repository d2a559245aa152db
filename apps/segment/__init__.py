"""The command `kerascnn segment`."""
