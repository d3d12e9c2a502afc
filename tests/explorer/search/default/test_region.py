import pytest

from explorer.search.default.region import side


@pytest.mark.parametrize(
    ("improved", "expected"),
    [
        ([], 0.8),
        ([True] * 3, 1.6),
        ([True] * 9, 1.6),
        ([False] * 6, 0.4),
        ([False] * 5 + [True] + [False] * 5, 0.8),
        ([False] * 12, 0.2),
        ([False] * 54, 0.8),
    ],
)
def test_the_side_follows_from_the_trials(improved, expected):
    assert side(improved, dimensions=6) == pytest.approx(expected)
