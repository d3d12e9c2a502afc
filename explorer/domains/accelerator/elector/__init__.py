"""ELECTOR: the design space of the AccelTran accelerator."""
