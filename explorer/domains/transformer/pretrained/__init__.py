"""FlexiBERT models for Hugging Face's transformers: configuration, `AutoModel`, `from_pretrained`.

Importing `explorer.domains.transformer.pretrained.models` registers them; it needs the extra `train`.
"""
