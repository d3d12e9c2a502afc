"""What `bench_search.py` compares: tasks, methods, and what becomes of their runs."""
