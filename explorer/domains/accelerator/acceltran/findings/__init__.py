"""Results of a run: measures, energy, re-use, pictures and ablations."""
