"""scikit-learn's own tests, run on kiso's classes: ``python -m tests.conformance svm``."""
