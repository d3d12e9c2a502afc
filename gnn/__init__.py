"""Graphs as tensors, encoders and surrogates."""
