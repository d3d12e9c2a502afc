"""Tools for domains and recipes: counting, checks of JSON values, and users' files."""
