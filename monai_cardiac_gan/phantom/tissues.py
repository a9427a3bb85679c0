"""Signal of every tissue in a bright-blood, fat-suppressed scan, blood at 1."""

from __future__ import annotations

from monai_cardiac_gan.phantom.canvas import Tissue
from monai_cardiac_gan.phantom.labels import PhantomLabel as L

# Estimated by eye from whole-heart MR volumes (steady-state free precession with T2 preparation and fat suppression, 1.5 T), as
# fractions of the signal in the descending aorta.
SKIN = Tissue(L.BODY, 0.17)
FAT = Tissue(L.FAT, 0.075)
MUSCLE = Tissue(L.BODY, 0.19)
LUNG = Tissue(L.LUNG, 0.035)
PLEURA = Tissue(L.BODY, 0.26)
AIRWAY = Tissue(L.LUNG, 0.015)
RIB = Tissue(L.RIB, 0.09)
INTERCOSTAL = Tissue(L.BODY, 0.45)
VERTEBRA = Tissue(L.VERTEBRA, 0.155)
DISC = Tissue(L.VERTEBRA, 0.21)
BONE_VEIN = Tissue(L.VERTEBRA, 0.30)
CORTEX = Tissue(L.VERTEBRA, 0.09)
FLUID = Tissue(L.SPINAL_CANAL, 1.08)
CORD = Tissue(L.SPINAL_CANAL, 0.40)
PERICARDIUM = Tissue(L.BODY, 0.22)
MEDIASTINUM = Tissue(L.FAT, 0.13)
MYOCARDIUM = Tissue(L.MYOCARDIUM, 0.50)
THIN_WALL = Tissue(L.MYOCARDIUM, 0.32)
LEFT_VENTRICLE = Tissue(L.LEFT_VENTRICLE, 0.98)
RIGHT_VENTRICLE = Tissue(L.RIGHT_VENTRICLE, 0.90)
LEFT_ATRIUM = Tissue(L.LEFT_ATRIUM, 0.97)
RIGHT_ATRIUM = Tissue(L.RIGHT_ATRIUM, 0.88)
VESSEL_WALL = Tissue(L.BODY, 0.27)
ASCENDING_AORTA = Tissue(L.ASCENDING_AORTA, 0.97)
DESCENDING_AORTA = Tissue(L.DESCENDING_AORTA, 1.05)
PULMONARY_VESSEL = Tissue(L.PULMONARY_VESSEL, 1.00)
VENA_CAVA = Tissue(L.VENA_CAVA, 0.95)
VEIN = Tissue(L.BODY, 0.85)
OESOPHAGUS = Tissue(L.OESOPHAGUS, 0.26)
OESOPHAGUS_LINING = Tissue(L.OESOPHAGUS, 0.42)
LIVER = Tissue(L.LIVER, 0.38)
LIVER_VEIN = Tissue(L.LIVER, 0.62)
SPLEEN = Tissue(L.SPLEEN, 0.60)
STOMACH_WALL = Tissue(L.STOMACH, 0.32)
KIDNEY = Tissue(L.BODY, 0.62)
BOWEL = Tissue(L.BODY, 0.26)
