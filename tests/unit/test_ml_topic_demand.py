"""Demand for topics: told in worlds where it is known, with ranges that hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpay.ml.frames import Floats
from kpay.ml.topic_demand import combined, demand
from tests.fakes.topic_worlds import TopicWorld, topic_world

WORLDS = 30


def rank_agreement(one: Floats, other: Floats) -> float:
    """Spearman's correlation."""
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def sold_by_topic(world: TopicWorld) -> Floats:
    return np.asarray(world.shop.topics.T @ world.shop.orders.sum(axis=1))


def test_topics_are_ranked_better_than_by_their_sales_or_sales_a_piece() -> None:
    found = []
    for seed in range(WORLDS):
        world = topic_world(seed)
        learned = demand(world.shop).mean[1 : 1 + len(world.truth)]
        sold, pieces = sold_by_topic(world), world.shop.topics.sum(axis=0)
        a_piece = np.where(pieces > 0, sold / np.maximum(pieces, 0.1), sold.sum() / pieces.sum())
        found.append([rank_agreement(way, world.truth) for way in (learned, sold, a_piece)])
    learned, sold, a_piece = np.mean(found, axis=0)
    assert learned > 0.65
    assert learned > sold + 0.2
    assert learned > a_piece + 0.1


def test_what_is_said_of_launches_holds_about_four_times_in_five() -> None:
    inside = []
    for seed in range(WORLDS):
        world = topic_world(seed)
        learned = demand(world.shop)
        assert len(learned.errors) > 5
        best = np.argsort(-learned.mean[1 : 1 + len(world.truth)])[:3]
        for topic in best.tolist():
            said = learned.orders(world.new_piece(topic))
            off = np.log((world.launch(topic) + 0.5) / (said + 0.5)) / learned.spread
            inside.append(abs(off) < 1.2816)
    assert 0.65 <= np.mean(inside) <= 0.92


def test_where_nothing_differs_nothing_stands_out() -> None:
    outside = []
    for seed in range(10):
        world = topic_world(seed, spread=0)
        learned = demand(world.shop)
        means = learned.mean[1:9]
        errors = np.sqrt(np.diag(learned.covariance)[1:9])
        outside.append(np.abs(means) > 1.2816 * errors)
        assert np.abs(means).max() < 0.6
    assert np.mean(outside) < 0.2


def test_new_pieces_sell_more_for_being_new() -> None:
    freshness = np.mean([demand(topic_world(seed).shop).freshness for seed in range(10)], axis=0)
    assert freshness == pytest.approx([6, 2, 1.2, 1, 1], rel=0.25)


def test_few_orders_are_drawn_to_the_mean_piece() -> None:
    world = topic_world(3)
    much = np.abs(demand(world.shop).mean[1:9]).max()
    little = replace(world.shop, orders=np.floor(world.shop.orders / 20))
    assert np.abs(demand(little).mean[1:9]).max() < much / 2


def test_without_an_order_there_is_nothing_to_learn() -> None:
    world = topic_world(1)
    with pytest.raises(ValueError, match="nothing was sold"):
        demand(replace(world.shop, orders=np.zeros_like(world.shop.orders)))


def test_signs_are_joined_by_how_sure_they_are() -> None:
    assert combined([(0.0, 1.0), (1.0, 1.0)]) == (0.5, 0.5)
    mean, variance = combined([(0.0, 0.01), (1.0, 1.0)])
    assert mean == pytest.approx(1 / 101)
    assert variance < 0.01
