"""Transformers: FlexiBERT 2.0, the early FlexiBERT space, and models of any size."""
