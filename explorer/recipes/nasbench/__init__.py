"""Search among networks that were all trained, to find the best of them and to compare methods of search."""
