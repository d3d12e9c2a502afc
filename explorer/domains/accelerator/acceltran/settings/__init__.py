"""What a run depends on besides its architectures: engine, mode, corrections, sparsity."""
