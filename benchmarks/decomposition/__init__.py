"""PCA against its peers."""
