"""What domains and recipes are built with: counting, checks of JSON values, users' files."""
