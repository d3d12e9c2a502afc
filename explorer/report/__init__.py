"""What a study found, as text and as figures."""
