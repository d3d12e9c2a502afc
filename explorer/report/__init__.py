"""Results as text and as figures."""
