"""Python in a Worker."""
