"""Long-running work started through the API."""
