"""The services of the product for users, on the command line and through the API."""
