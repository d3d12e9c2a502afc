"""Learning from the database: surrogates, likeness, maps."""
