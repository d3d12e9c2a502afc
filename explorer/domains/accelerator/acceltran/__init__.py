"""AccelTran: a sparsity-aware accelerator of Transformers, its area, time and energy."""
