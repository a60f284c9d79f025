"""One small class a rule: claims and measurements in, verdicts and findings out. Imports no torch."""
