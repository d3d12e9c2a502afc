"""Recipes: compositions of spaces, simulators, objectives and optimisers."""
