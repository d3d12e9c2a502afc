"""Measuring: studies, sweeps, and the executors of their evaluations."""
