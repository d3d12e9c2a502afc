"""The course of a study as the schema shows it: what its proposals brought, and what was expected of them."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene

if TYPE_CHECKING:
    from explorer.services.course import Kind


class Prediction(graphene.ObjectType):
    """The performance that a surrogate predicted when a design was chosen."""

    mean = graphene.Float(required=True)
    deviation = graphene.Float(required=True, description="Standard deviation of the prediction.")

    @staticmethod
    def resolve_mean(parent: tuple[float, float], info: graphene.ResolveInfo) -> float:
        """Resolves the mean."""
        return parent[0]

    @staticmethod
    def resolve_deviation(parent: tuple[float, float], info: graphene.ResolveInfo) -> float:
        """Resolves the deviation."""
        return parent[1]


class Origin(graphene.ObjectType):
    """What one kind of proposals brought."""

    name = graphene.String(required=True, description="How the designs were chosen.")
    proposals = graphene.Int(required=True)
    feasible = graphene.Int(required=True, description="Number of those that were measured and meet the constraints.")
    median = graphene.Float(description="Median performance of these.")
    best = graphene.Float(description="Best performance of these.")
    improvements = graphene.Int(required=True, description="Number of those that were better than all before.")
    gain = graphene.Float(required=True, description="Sum of these improvements.")

    @staticmethod
    def resolve_name(parent: Kind, info: graphene.ResolveInfo) -> str:
        """Resolves the origin."""
        return parent.origin

    @staticmethod
    def resolve_median(parent: Kind, info: graphene.ResolveInfo) -> float | None:
        """Resolves the median."""
        return parent.middle


class Calibration(graphene.ObjectType):
    """The agreement of the performances that were predicted at the choice with the measured ones."""

    count = graphene.Int(required=True, description="Number of measured designs with a prediction.")
    within = graphene.Float(
        required=True, description="Share within one deviation of the prediction; 0.68 if errors are normal."
    )
    spearman = graphene.Float(description="Correlation of the ranks; null for fewer than three designs.")
