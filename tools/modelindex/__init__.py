"""Read model-index metadata from YAML, JSON and Markdown: text -> nodes with spans -> typed records."""
