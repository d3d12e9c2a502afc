"""Decoders of language: the key `decoder` of a model dictionary, their graphs, sizes and configurations."""
