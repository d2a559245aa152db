"""Atomic file writes, checkpoints and run folders."""
