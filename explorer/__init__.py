"""Spaces, simulators, optimisers, studies and the command line."""
