"""The hardware: modules, buffers, memories, their constants and area."""
