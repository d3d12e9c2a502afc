"""The design spaces of Transformers."""
