"""Upscaling of pictures."""
