"""Intervals on errors that are larger for some rows than for others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.helpers import generator
from tilegrad.errors import ConfigError
from tilegrad.predictors.intervals import LEVELS, ErrorBand

ROWS = 4_000
CHECKED = (0.1, 0.5, 0.8, 0.9, 0.95, 0.99)


def sample(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return features, errors and spread; errors grow with the first feature, not the others."""
    source = generator(seed)
    scaled = torch.randn(ROWS, 3, generator=source).clamp(-2, 2)
    size = (0.45 * scaled[:, 0] - 2).exp()
    errors = size * torch.randn(ROWS, generator=source)
    return scaled, errors, torch.rand(ROWS, generator=source)


def band() -> ErrorBand:
    made = ErrorBand(3)
    made.calibrate(*sample(0))
    return made


@pytest.mark.parametrize("level", CHECKED)
def test_intervals_hold_as_often_as_they_claim(level: float) -> None:
    scaled, errors, spread = sample(1)
    inside = errors.abs() <= band().half_width(scaled, spread, level)
    # Three deviations of a share of so many rows, in both samples.
    tolerance = 3 * (2 * level * (1 - level) / ROWS) ** 0.5
    assert float(inside.float().mean()) == pytest.approx(level, abs=tolerance)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_intervals_hold_where_errors_are_large_and_where_they_are_small(level: float) -> None:
    scaled, errors, spread = sample(1)
    width = band().half_width(scaled, spread, level)
    for part in (scaled[:, 0] < -1, scaled[:, 0] > 1):
        inside = errors[part].abs() <= width[part]
        # One width for all would hold for 25 % and 90 % where half is claimed.
        assert float(inside.float().mean()) == pytest.approx(level, abs=0.08)
    assert width[scaled[:, 0] > 1].mean() > 2 * width[scaled[:, 0] < -1].mean()


def test_members_that_disagree_more_than_ever_widen_the_interval() -> None:
    scaled, _, spread = sample(0)
    made = band()
    usual = made.half_width(scaled, spread, 0.9)
    assert torch.equal(made.half_width(scaled, torch.zeros_like(spread), 0.9), usual)
    most = torch.full_like(spread, float(spread.max()))
    torch.testing.assert_close(made.half_width(scaled, 3 * most, 0.9), 3 * usual)


def test_features_unlike_any_stretch_intervals_only_so_far() -> None:
    made, none = band(), torch.zeros(2)
    far = torch.tensor([[0.0, 0.0, 0.0], [1e6, 0.0, 0.0]])
    centre, edge = made.half_width(far, none, 0.9).tolist()
    assert edge / centre == pytest.approx(torch.e, rel=1e-4)


@pytest.mark.parametrize("level", CHECKED)
def test_the_level_is_the_inverse_of_the_width(level: float) -> None:
    scaled, _, spread = sample(2)
    made = band()
    width = made.half_width(scaled, spread, level)
    for sign in (1, -1):
        found = made.level(scaled, spread, sign * width)
        assert float((found - level).abs().max()) <= 1 / LEVELS + 1e-6
    assert (made.level(scaled, spread, torch.full_like(width, 1e9)) == 1).all()
    assert (made.level(scaled, spread, torch.zeros_like(width)) <= 1 / LEVELS).all()


def test_few_rows_make_wide_intervals() -> None:
    """Of nine, the largest stands for nine tenths and all above."""
    made = ErrorBand(1)
    errors = torch.linspace(0.1, 0.9, 9)
    made.calibrate(torch.zeros(9, 1), errors, torch.ones(9))
    for level in (0.9, 0.95):
        width = made.half_width(torch.zeros(1), torch.ones(()), level)
        assert float(width) == pytest.approx(0.9)


def test_errors_of_rows_unlike_the_trained_ones_are_taken_over_what_they_are_larger() -> None:
    scaled, errors, spread = sample(0)
    unfamiliar = torch.rand(ROWS, generator=generator(3)) + 0.5
    made = ErrorBand(3)
    made.calibrate(scaled, errors * unfamiliar, spread, unfamiliar)
    inside = (errors * unfamiliar).abs() <= made.half_width(scaled, spread, 0.9) * unfamiliar
    assert float(inside.float().mean()) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("rows", [1, 4])
def test_another_machines_layers_count_alike_and_one_more_is_unknown(rows: int) -> None:
    """Of 19 layers with errors of 1 to 19 and ``rows`` rows each; the largest's has 50."""
    each = torch.arange(1.0, 20.0)
    counts = torch.full((19,), rows)
    counts[-1] = 50
    errors, layer = each.repeat_interleave(counts), torch.arange(19).repeat_interleave(counts)
    shuffled = torch.randperm(len(errors), generator=generator(0))
    nothing, one = torch.zeros(len(errors), 1), torch.ones(len(errors))
    made = ErrorBand(1)
    made.calibrate(torch.zeros(9, 1), torch.linspace(0.1, 0.9, 9), torch.ones(9))
    made.scale_to(nothing, errors[shuffled], one, layer[shuffled])
    # Nine tenths of twenty layers, the new one among them, are eighteen.
    width = made.half_width(torch.zeros(1), torch.ones(()), 0.9)
    assert float(width) == pytest.approx(18)


@pytest.mark.parametrize("level", [0, 1, -0.5, 1.5, float("nan"), float("inf"), "0.9", True, None])
def test_other_levels_are_refused(level: object) -> None:
    scaled, _, spread = sample(0)
    with pytest.raises(ConfigError, match=r"level is .*legal: a number between 0 and 1"):
        band().half_width(scaled, spread, level)  # type: ignore[arg-type]


def test_a_band_is_calibrated_once_it_has_seen_errors() -> None:
    assert not ErrorBand(3).calibrated
    assert band().calibrated
