"""Show the outcome of an audit in every output format."""
