"""Is it as it should be? Arrays in, frozen dataclasses out."""

from monai_cardiac_gan.anomaly.own_vessel import (
    COURSE,
    DIAMETER,
    Covariance,
    OwnVessel,
    VesselPrior,
    learn_prior,
    predict_beyond_gap,
)

__all__ = ["COURSE", "DIAMETER", "Covariance", "OwnVessel", "VesselPrior", "learn_prior", "predict_beyond_gap"]
