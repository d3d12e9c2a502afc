"""What a user can ask for, whether from the command line or through the API."""
