// SPDX-License-Identifier: BSD-3-Clause
// Geohashes and distances: a position on the globe is a number of 52 bits, those of the longitude
// and the latitude in turn, each the place in its range by halving. Numbers that begin with the
// same bits lie in one cell, and make one range of scores. Pure; any thread.
//
//   hash of `steps` steps = 2 * steps bits: lon lat lon lat ... from the highest
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace backplane::geo {

inline constexpr double kLongitudeMax = 180;
// Beyond it Web Mercator has no map.
inline constexpr double kLatitudeMax = 85.05112878;
inline constexpr unsigned kStepsMax = 26;

struct Position {
  double longitude = 0;  // degrees
  double latitude = 0;
};

bool IsValid(Position position);

struct Cell {
  uint64_t bits = 0;
  unsigned steps = 0;

  // The scores of what lies within: [FirstScore, EndScore).
  uint64_t FirstScore() const { return bits << (52 - 2 * steps); }
  uint64_t EndScore() const { return (bits + 1) << (52 - 2 * steps); }
  bool operator==(const Cell&) const = default;
};

// REQUIRES: IsValid(position), 1 <= steps <= kStepsMax.
Cell CellOf(Position position, unsigned steps);
// The score that a sorted set keeps, and the middle of its cell.
uint64_t ScoreOf(Position position);
Position PositionOf(uint64_t score);
// The eleven letters that other software knows, of that middle.
std::string TextOf(Position position);

// Metres along the surface.
double Distance(Position a, Position b);

struct Area;

// Answers for many scores whether they lie in one area: what follows from the area alone is worked
// out once, and most scores outside are told by their bits, without their position.
class AreaTest {
 public:
  // `area` outlives it.
  explicit AreaTest(const Area& area);
  // As Area::DistanceWithin of PositionOf(score).
  std::optional<double> DistanceWithin(uint64_t score) const;

 private:
  // Rows (or columns) of the finest cells from `first` on.
  struct Band {
    uint32_t first = 0;
    uint32_t size = UINT32_MAX;
    bool Has(uint32_t part) const { return part - first <= size; }
  };
  static Band BandOf(double low, double high, double limit);

  const Area& area_;
  Band rows_;
  Band columns_;
};

// What is searched: a circle, or a box with sides along the meridians and parallels.
struct Area {
  Position centre;
  bool is_box = false;
  double radius = 0;  // metres
  double width = 0;
  double height = 0;

  // Its distance from the centre if the position lies within.
  std::optional<double> DistanceWithin(Position position) const;
};

// The cells that cover an area: the middle one and those around it that it reaches, in the order in
// which they are searched.
struct Cover {
  std::array<Cell, 9> cells;
  size_t count = 0;
};
Cover CoverOf(const Area& area);

}  // namespace backplane::geo
