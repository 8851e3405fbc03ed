// SPDX-License-Identifier: BSD-3-Clause
// Geohashes: known places, cells, and that a cover leaves nobody out.
#include "commands/geo/geohash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace backplane::geo {
namespace {

TEST(Geohash, KnownPlaces) {
  const Position palermo = {13.361389, 38.115556};
  EXPECT_EQ(ScoreOf(palermo), 3479099956230698u);
  EXPECT_EQ(TextOf(PositionOf(3479099956230698u)), "sqc8b49rny0");
  EXPECT_EQ(ScoreOf({15.087269, 37.502669}), 3479447370796909u);
  EXPECT_EQ(ScoreOf({-180, -kLatitudeMax}), 0u);
  EXPECT_NEAR(Distance(palermo, {15.087269, 37.502669}), 166274, 1);
  EXPECT_EQ(Distance(palermo, palermo), 0);
}

TEST(Geohash, MiddlesAreWithinACellOfThePosition) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> longitude(-180, 180);
  std::uniform_real_distribution<double> latitude(-85, 85);
  for (int i = 0; i < 10000; ++i) {
    const Position position = {longitude(random), latitude(random)};
    const uint64_t score = ScoreOf(position);
    const Position middle = PositionOf(score);
    EXPECT_LT(Distance(position, middle), 1);
    EXPECT_EQ(ScoreOf(middle), score);
    for (unsigned steps = 1; steps <= kStepsMax; ++steps) {
      const Cell cell = CellOf(position, steps);
      EXPECT_LE(cell.FirstScore(), score);
      EXPECT_LT(score, cell.EndScore());
    }
  }
}

TEST(Geohash, ValidPositions) {
  EXPECT_TRUE(IsValid({180, 85.05112878}));
  EXPECT_TRUE(IsValid({-180, -85.05112878}));
  EXPECT_FALSE(IsValid({180.0001, 0}));
  EXPECT_FALSE(IsValid({0, 85.0512}));
  EXPECT_FALSE(IsValid({NAN, 0}));
}

TEST(Geohash, ACoverLeavesNobodyOut) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> longitude(-170, 170);
  std::uniform_real_distribution<double> latitude(-70, 70);
  std::uniform_real_distribution<double> share(-1, 1);
  for (int i = 0; i < 3000; ++i) {
    Area area;
    area.centre = {longitude(random), latitude(random)};
    area.is_box = i % 2 == 0;
    area.radius = std::pow(10, 1 + i % 5);
    area.width = area.radius * (1 + i % 3);
    area.height = area.radius * (1 + i % 2);
    const Cover cover = CoverOf(area);
    ASSERT_GE(cover.count, 1u);
    for (int j = 0; j < 20; ++j) {
      const double degrees = 2 * area.radius / 111000;
      const Position point = {area.centre.longitude + share(random) * degrees * 2,
                              area.centre.latitude + share(random) * degrees};
      if (!IsValid(point) || !area.DistanceWithin(point)) continue;
      const uint64_t score = ScoreOf(point);
      bool covered = false;
      for (size_t k = 0; k < cover.count; ++k) {
        covered |= cover.cells[k].FirstScore() <= score && score < cover.cells[k].EndScore();
      }
      EXPECT_TRUE(covered) << point.longitude << " " << point.latitude;
    }
  }
}

TEST(Geohash, TheQuickTestAgreesWithTheExactOne) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> share(-1, 1);
  int inside = 0;
  for (int i = 0; i < 4000; ++i) {
    Area area;
    area.centre = {share(random) * kLongitudeMax, share(random) * kLatitudeMax};
    area.is_box = i % 2 == 0;
    area.radius = std::pow(10, 1 + i % 7);
    area.width = area.radius * (1 + i % 3);
    area.height = area.radius * (1 + i % 2);
    const AreaTest test(area);
    for (int j = 0; j < 20; ++j) {
      const double degrees = 1.2 * area.radius / 111000;
      const Position point = {area.centre.longitude + share(random) * degrees * 2,
                              area.centre.latitude + share(random) * degrees};
      if (!IsValid(point)) continue;
      const uint64_t score = ScoreOf(point);
      const auto exact = area.DistanceWithin(PositionOf(score));
      EXPECT_EQ(test.DistanceWithin(score), exact);
      inside += exact.has_value() ? 1 : 0;
    }
  }
  EXPECT_GT(inside, 10'000);
}

TEST(Geohash, BoxesAndCircles) {
  Area area;
  area.centre = {10, 50};
  area.radius = 1000;
  EXPECT_TRUE(area.DistanceWithin({10, 50.008}).has_value());
  EXPECT_FALSE(area.DistanceWithin({10, 50.01}).has_value());
  area.is_box = true;
  area.width = 2000;
  area.height = 200;
  EXPECT_FALSE(area.DistanceWithin({10, 50.008}).has_value());
  EXPECT_TRUE(area.DistanceWithin({10.01, 50}).has_value());
  EXPECT_FALSE(area.DistanceWithin({10.02, 50}).has_value());
}

}  // namespace
}  // namespace backplane::geo
