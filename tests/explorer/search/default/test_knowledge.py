import numpy as np
import pytest

from explorer.contracts.description import Entry, Nature
from explorer.contracts.goal import Goal, Output
from explorer.search.default.encoding import Encoding
from explorer.search.default.knowledge import Data, Warp, gained, relevance

ENCODING = Encoding([Entry(f"x{place}", Nature.CONTINUOUS, 0.0, 1.0) for place in range(3)])


def test_a_warp_makes_a_skewed_sample_nearly_normal_and_can_be_undone():
    values = -np.exp(np.random.default_rng(0).normal(size=200) * 2)
    warp = Warp.fitted(values)
    assert warp is not None
    warped = warp.forward(values)
    skewness = np.mean(((warped - warped.mean()) / warped.std()) ** 3)
    assert abs(skewness) < 1.0 < abs(np.mean(((values - values.mean()) / values.std()) ** 3))
    assert warp.inverse(warped) == pytest.approx(values, rel=1e-6)
    steps = (warp.forward(values + 1e-6) - warped) / 1e-6
    assert warp.log_slope(values) == pytest.approx(np.log(steps), abs=1e-3)


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [5.0] * 10])
def test_too_few_or_equal_values_are_not_warped(values):
    assert Warp.fitted(np.array(values)) is None


def data(outputs: np.ndarray, known: np.ndarray | None = None, seed: int = 0) -> Data:
    points = ENCODING.points(np.random.default_rng(seed).random((len(outputs), 3)))
    nothing = np.full(outputs.shape, np.nan)
    return Data(points, outputs, nothing if known is None else known, np.arange(len(outputs), dtype=np.float64))


def test_thinning_keeps_the_best_and_the_order():
    thinned = data(np.zeros((100, 1))).thinned(30)
    assert len(thinned.points) == 30
    assert (np.diff(thinned.merits) > 0).all()
    assert set(range(90, 100)) <= set(thinned.merits.astype(int))
    assert thinned.merits[0] == 0


def test_what_is_known_is_not_learnt_and_failures_are():
    outputs = np.random.default_rng(1).random((12, 2))
    outputs[3] = np.nan
    known = np.column_stack([np.full(12, np.nan), outputs[:, 1]])
    known[3, 1] = 0.5
    goal = Goal((Output("cost"), Output("area")), np.array([[1.0, 1.0]]), np.zeros(1))
    learnt = gained(goal, ENCODING, data(outputs, known))
    assert learnt.outputs[0] is not None
    assert learnt.outputs[1] is None
    assert learnt.success is not None


def test_errors_that_go_together_are_noticed():
    common = np.random.default_rng(2).normal(size=60)
    outputs = np.column_stack([common, -common + 0.1 * np.random.default_rng(3).normal(size=60)])
    goal = Goal((Output("a"), Output("b")), np.eye(2), np.zeros(2))
    likeness = gained(goal, ENCODING, data(outputs)).likeness
    assert likeness[0, 1] < -0.8
    assert np.linalg.eigvalsh(likeness)[0] > 0


def test_relevance_finds_the_entry_that_matters():
    points = np.random.default_rng(4).random((40, 3))
    outputs = np.sin(6 * points[:, 1:2])
    told = Data(ENCODING.points(points), outputs, np.full(outputs.shape, np.nan), np.arange(40.0))
    shares = relevance(ENCODING, gained(Goal.plain(1), ENCODING, told), [1.0])
    assert shares[0][0] == "x1"
    assert sum(share for _, share in shares) == pytest.approx(1.0)
