"""The GraphQL types, queries and mutations."""
