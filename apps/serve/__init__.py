"""A small server for exported classifiers."""
