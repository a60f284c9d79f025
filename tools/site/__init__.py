"""The mkdocs-macros module: tables, snippets, charts, citations and rule pages. Imports no torch."""
