"""Search algorithms behind one ask/tell contract; they work on vectors and numbers, never on a domain or a database."""
