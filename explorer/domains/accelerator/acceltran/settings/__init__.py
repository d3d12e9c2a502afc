"""Settings of a run besides its architectures: engine, mode, corrections and sparsity."""
