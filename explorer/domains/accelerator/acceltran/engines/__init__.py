"""Engines that estimate a run: event by event, or by formulas."""
