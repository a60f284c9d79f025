"""The audit: settings, the run that knows all rooms, and the command line."""
