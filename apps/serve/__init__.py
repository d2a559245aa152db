"""A small server for exported models."""
