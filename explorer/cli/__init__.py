"""`explorer ...`: the command line."""
