"""Verbs for AccelTran beyond those of every simulator."""
