"""JSON and YAML: configurations, tokenizers, model cards."""
