"""Measuring: studies, sweeps, and where their evaluations run."""
