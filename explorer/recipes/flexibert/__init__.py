"""FlexiBERT: hierarchical search of heterogeneous Transformers (Tuli and others 2023, arXiv 2205.11656)."""
