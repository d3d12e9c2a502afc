"""Training FlexiBERT models: masked language modelling on text, and fine-tuning on GLUE or on a user's data."""
