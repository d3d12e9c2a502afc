"""Measures of convolutional networks."""

from __future__ import annotations

from explorer.contracts.measure import Direction, Measure, catalogue

_MINIMISE = Direction.MINIMISE


def _accuracy(name: str, label: str, how: str) -> Measure:
    """A measure of accuracy on CIFAR-10.

    Args:
        name: what stands between the name of the data and the word accuracy, with a trailing underscore.
        label: the same for readers, with a trailing space.
        how: what was done to the network.
    """
    about = f"share of the test images of CIFAR-10 that are classified correctly{how}"
    return Measure(f"cifar10_{name}accuracy", f"CIFAR-10 {label}accuracy", "%", Direction.MAXIMISE, description=about)


ACCURACY = _accuracy("", "", "")
ACCURACIES = (
    ACCURACY,
    _accuracy("quantised_", "quantised ", ", after quantisation without further training"),
    _accuracy("quantised_trained_", "quantised, trained ", ", after training with quantisation"),
    _accuracy("noisy_", "noisy ", ", on simulated noisy analogue memory without further training"),
    _accuracy("noisy_trained_", "noisy, trained ", ", on simulated noisy analogue memory after training for it"),
)
"""Accuracies in the order of their columns in the table of cells."""
LATENCY = Measure(
    "latency_s", "latency", "s", _MINIMISE, logarithmic=True, description="time of one batch on the device"
)
PARAMETERS = Measure(
    "parameters",
    "parameters",
    "",
    _MINIMISE,
    logarithmic=True,
    whole=True,
    description="trainable weights, those of operations without an effect as well",
)
MULTIPLICATIONS = Measure(
    "multiplications_per_image",
    "multiplications for one image",
    "",
    _MINIMISE,
    logarithmic=True,
    whole=True,
    description="multiplications of convolutions and linear layers for one image",
)
MEASURES = catalogue(ACCURACIES, LATENCY, PARAMETERS, MULTIPLICATIONS)
"""Name -> measure. Accuracies are stored as values from 0 to 1, and shown in percent."""
