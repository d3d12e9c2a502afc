"""The verbs of Transformers."""
