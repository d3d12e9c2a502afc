"""FlexiBERT models as Hugging Face's transformers knows models: configuration, `AutoModel`, `from_pretrained`.

Importing `explorer.domains.transformer.pretrained.models` registers them; it needs the extra `train`.
"""
