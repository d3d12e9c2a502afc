"""Convolutional neural networks."""
