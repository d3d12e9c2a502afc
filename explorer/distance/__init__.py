"""Graph edit distance between architectures of any domain: bounds in microseconds, exact values in about a second."""
