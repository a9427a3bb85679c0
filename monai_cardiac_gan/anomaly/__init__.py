"""Is this aorta as it should be? Arrays in, frozen dataclasses out."""

from monai_cardiac_gan.anomaly.abnormal_stretches import abnormal_stretches
from monai_cardiac_gan.anomaly.answer import Answer, AnswerKind, Stretch, answer_of
from monai_cardiac_gan.anomaly.expectation import Expectation, ExpectationModel, Levels, Measured, expect_vessel
from monai_cardiac_gan.anomaly.growth import Alignment, LevelGrowth, Vessel, align_vessels, growth_between
from monai_cardiac_gan.anomaly.landmarks import Landmarks, find_landmarks
from monai_cardiac_gan.anomaly.learn_expectation import JudgedPerson, learn_expectation, people_needed
from monai_cardiac_gan.anomaly.levels import NamedLevels, name_levels
from monai_cardiac_gan.anomaly.normals import NormalRange, PulmonaryLevel, normal_ranges, pulmonary_level
from monai_cardiac_gan.anomaly.own_vessel import (
    COURSE,
    DIAMETER,
    Covariance,
    OwnVessel,
    VesselPrior,
    learn_prior,
    predict_beyond_gap,
)
from monai_cardiac_gan.anomaly.track_ends import reasons_not_to_compare
from monai_cardiac_gan.anomaly.verdict import ALPHA, Verdict, judge, normals_needed

__all__ = [
    "ALPHA",
    "COURSE",
    "DIAMETER",
    "Alignment",
    "Answer",
    "AnswerKind",
    "Covariance",
    "Expectation",
    "ExpectationModel",
    "JudgedPerson",
    "Landmarks",
    "LevelGrowth",
    "Levels",
    "Measured",
    "NamedLevels",
    "NormalRange",
    "OwnVessel",
    "PulmonaryLevel",
    "Stretch",
    "Verdict",
    "Vessel",
    "VesselPrior",
    "abnormal_stretches",
    "align_vessels",
    "answer_of",
    "expect_vessel",
    "find_landmarks",
    "growth_between",
    "judge",
    "learn_expectation",
    "learn_prior",
    "name_levels",
    "normal_ranges",
    "normals_needed",
    "people_needed",
    "predict_beyond_gap",
    "pulmonary_level",
    "reasons_not_to_compare",
]
