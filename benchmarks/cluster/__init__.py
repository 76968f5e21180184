"""Clustering beside scikit-learn, scikit-learn-intelex and faiss."""
