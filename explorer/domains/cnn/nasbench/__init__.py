"""Spaces whose networks were all trained: NAS-Bench-201 and NAS-Bench-Macro."""
