"""Who may start an operation now, so that no tenant takes the process from the others."""

from loyalty_graphql.admission.admission import Admission
from loyalty_graphql.admission.allowances import Allowances

__all__ = ["Admission", "Allowances"]
