"""Accelerators of neural networks."""
