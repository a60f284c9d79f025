"""The command line and the run: the only room that knows all the others."""
