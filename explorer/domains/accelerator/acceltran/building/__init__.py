"""Building the program that the accelerator runs from a model's layers."""
