"""What is learnt from the database: surrogates, likeness, maps."""
