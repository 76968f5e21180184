"""Support vector machines against their peers."""
