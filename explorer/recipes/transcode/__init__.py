"""TransCODE: co-design of a Transformer and its accelerator (Tuli and Jha 2023, arXiv 2303.14882)."""
