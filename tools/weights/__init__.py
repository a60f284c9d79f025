"""What a weight file is, what a state dict would weigh, and what a server says of a URL."""
