"""A server for exported models."""
