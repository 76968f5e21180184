"""`kiso compare` against its peers."""
