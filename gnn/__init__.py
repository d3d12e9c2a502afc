"""Graphs to tensors, encoders and surrogates."""
