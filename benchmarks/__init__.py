"""kiso against its peers: `python -m benchmarks FAMILY`."""
