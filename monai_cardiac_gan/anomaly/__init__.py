"""Is this aorta as it should be? Arrays in, frozen dataclasses out."""

from monai_cardiac_gan.anomaly.abnormal_stretches import abnormal_stretches
from monai_cardiac_gan.anomaly.anomaly_map import deviation_map, learn_spread_factor, pixel_spread
from monai_cardiac_gan.anomaly.answer import Answer, AnswerKind, Stretch, answer_of, stretches_of
from monai_cardiac_gan.anomaly.expectation import Expectation, ExpectationModel, Levels, Measured, expect_vessel
from monai_cardiac_gan.anomaly.growth import Alignment, LevelGrowth, Vessel, align_vessels, growth_between
from monai_cardiac_gan.anomaly.landmarks import Landmarks, find_landmarks
from monai_cardiac_gan.anomaly.learn_expectation import JudgedPerson, learn_expectation, people_needed
from monai_cardiac_gan.anomaly.level_scores import SIGNS, LevelPictures, LevelScores, filtered_maps, score_level
from monai_cardiac_gan.anomaly.levels import NamedLevels, name_levels
from monai_cardiac_gan.anomaly.normal_levels import (
    JudgedVessel,
    NormalLevels,
    ScoredLevels,
    judge_left_out,
    learn_normal_levels,
)
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
from monai_cardiac_gan.anomaly.scan_kind import KindOfScan, learn_kind
from monai_cardiac_gan.anomaly.track_ends import reasons_not_to_compare
from monai_cardiac_gan.anomaly.verdict import ALPHA, Verdict, judge, normals_needed

__all__ = [
    "ALPHA",
    "COURSE",
    "DIAMETER",
    "SIGNS",
    "Alignment",
    "Answer",
    "AnswerKind",
    "Covariance",
    "Expectation",
    "ExpectationModel",
    "JudgedPerson",
    "JudgedVessel",
    "KindOfScan",
    "Landmarks",
    "LevelGrowth",
    "LevelPictures",
    "LevelScores",
    "Levels",
    "Measured",
    "NamedLevels",
    "NormalLevels",
    "NormalRange",
    "OwnVessel",
    "PulmonaryLevel",
    "ScoredLevels",
    "Stretch",
    "Verdict",
    "Vessel",
    "VesselPrior",
    "abnormal_stretches",
    "align_vessels",
    "answer_of",
    "deviation_map",
    "expect_vessel",
    "filtered_maps",
    "find_landmarks",
    "growth_between",
    "judge",
    "judge_left_out",
    "learn_expectation",
    "learn_kind",
    "learn_normal_levels",
    "learn_prior",
    "learn_spread_factor",
    "name_levels",
    "normal_ranges",
    "normals_needed",
    "people_needed",
    "pixel_spread",
    "predict_beyond_gap",
    "pulmonary_level",
    "reasons_not_to_compare",
    "score_level",
    "stretches_of",
]
