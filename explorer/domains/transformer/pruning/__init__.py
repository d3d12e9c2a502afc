"""Methods that make a Transformer sparse while it runs (DynaTran, top-k, DynaProp), and profiles of the sparsity."""
