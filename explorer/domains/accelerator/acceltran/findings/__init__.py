"""What a run says: measures, energy, re-use, pictures, ablations."""
