"""Figures and animations; each takes plain data and returns a figure that nobody has shown yet."""

from monai_cardiac_gan.visualize.answers_figure import figure_of_answers
from monai_cardiac_gan.visualize.contact_row import ContactRow, Tile, contact_row
from monai_cardiac_gan.visualize.diameter_figure import figure_of_diameters
from monai_cardiac_gan.visualize.display import to_display
from monai_cardiac_gan.visualize.nearest_figure import figure_of_nearest
from monai_cardiac_gan.visualize.results_figure import figure_of_results
from monai_cardiac_gan.visualize.sample_grid import figure_of_sample_grid
from monai_cardiac_gan.visualize.samples_figure import figure_of_samples
from monai_cardiac_gan.visualize.save_figure import save_figure
from monai_cardiac_gan.visualize.search_animation import write_search_gif, write_search_video
from monai_cardiac_gan.visualize.spectra_figure import figure_of_spectra
from monai_cardiac_gan.visualize.starts_figure import figure_of_starts
from monai_cardiac_gan.visualize.traces_figure import figure_of_traces
from monai_cardiac_gan.visualize.training_curves import figure_of_training_curves
from monai_cardiac_gan.visualize.uncertainty_figure import figure_of_uncertainty
from monai_cardiac_gan.visualize.volume_figure import figure_of_volume

__all__ = [
    "ContactRow",
    "Tile",
    "contact_row",
    "figure_of_answers",
    "figure_of_diameters",
    "figure_of_nearest",
    "figure_of_results",
    "figure_of_sample_grid",
    "figure_of_samples",
    "figure_of_spectra",
    "figure_of_starts",
    "figure_of_traces",
    "figure_of_training_curves",
    "figure_of_uncertainty",
    "figure_of_volume",
    "save_figure",
    "to_display",
    "write_search_gif",
    "write_search_video",
]
