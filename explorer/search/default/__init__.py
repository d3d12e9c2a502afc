"""The default search: Gaussian processes over descriptions, expected improvement, and local search on it."""
