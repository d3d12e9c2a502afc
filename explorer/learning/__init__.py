"""Learning from the database: surrogates, similarity and maps."""
