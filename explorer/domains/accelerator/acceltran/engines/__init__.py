"""The ways of estimating a run: event by event, or by formulas."""
