"""The label of pixels that have none."""

# Losses, metrics and scores leave pixels with this label out.
IGNORED = 255
