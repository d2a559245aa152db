"""The label of ignored pixels."""

# Losses, metrics and scores ignore pixels with this label.
IGNORED = 255
