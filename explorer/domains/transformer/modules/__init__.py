"""FlexiBERT 2.0 encoders as PyTorch modules."""
