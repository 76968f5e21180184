"""scikit-learn's own checks of the kernel machines."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.svm import SVC, SVR, OneClassSVM

# A weight scales a sample's bound C_i, which is what repeating the sample amounts to; but the
# solver stops within `tol` of the optimum, at another point of that neighbourhood.
WITHIN_TOL = {
    "check_sample_weight_equivalence_on_dense_data": "equal to within tol only",
    "check_sample_weight_equivalence_on_sparse_data": "equal to within tol only",
}


def expected(estimator):
    return WITHIN_TOL


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([SVC(), SVR(), OneClassSVM()], expected_failed_checks=expected)
def test_sklearn_checks(estimator, check):
    check(estimator)
