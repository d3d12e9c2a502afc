"""What a user can do with Transformers."""
