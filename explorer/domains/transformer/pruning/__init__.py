"""What makes a Transformer sparse while it runs: DynaTran, top-k, DynaProp; and how sparse, as a profile."""
