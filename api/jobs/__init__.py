"""Long work that was asked for through the API."""
