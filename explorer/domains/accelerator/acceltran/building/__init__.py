"""From a model's layers to the program that the accelerator runs."""
