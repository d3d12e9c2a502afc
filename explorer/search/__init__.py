"""Search algorithms behind one ask/tell contract; they know vectors and numbers, never a domain or a database."""
